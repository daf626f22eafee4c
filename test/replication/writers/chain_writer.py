"""An application in Python: writes to its own SQLite file for a while, and knows nothing of replication.

Arguments: database file, transactions, seed, name (part of the keys that it makes).
Any failed write ends it with a traceback.
"""

import random
import sqlite3
import sys
import time
from datetime import datetime, timezone

FILE, TRANSACTIONS, SEED, NAME = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
PAUSE_S = 0.02

rng = random.Random(SEED)
db = sqlite3.connect(FILE, timeout=10, isolation_level=None)
made = {"words": 0, "progress": 0, "media": 0}


def now_ms():
    return int(time.time() * 1000)


def now_iso():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def some_value():
    """A value of any type, those among them that other formats can't carry."""
    return rng.choice([
        None,
        rng.randint(-(2**63), 2**63 - 1),
        2**53 + 1,
        rng.random() * 10 ** rng.randint(-20, 20),
        1.0,
        float("inf"),
        "",
        "text \u00e9\u4e2d\U0001f600",
        "with\0nul",
        rng.randbytes(rng.randint(0, 200)),
    ])


def some_word():
    """A legacy row, or one that some writer made, here or elsewhere."""
    if rng.random() < 0.6:
        return f"w{rng.randrange(3400):05d}"
    return f"{rng.choice('abc')}-word-{rng.randrange(200)}"


def insert_words():
    for _ in range(rng.choice([1, 1, 1, 20])):
        made["words"] += 1
        db.execute(
            "INSERT OR REPLACE INTO words VALUES (?, ?, ?, NULL)",
            (f"{NAME}-word-{made['words']}", f"written by {NAME}", now_ms()),
        )


def change_words():
    db.execute(
        "UPDATE words SET english = ?, updated_at = ? WHERE id = ?",
        (f"{NAME} {rng.randrange(10**6)}", now_ms(), some_word()),
    )


def soft_delete_word():
    at = now_ms()
    db.execute("UPDATE words SET deleted_at = ?, updated_at = ? WHERE id = ?", (at, at, some_word()))


def hard_delete_word():
    db.execute("DELETE FROM words WHERE id = ?", (some_word(),))


def set_progress():
    db.execute(
        """INSERT INTO progress VALUES (?, ?, ?, 0, ?)
           ON CONFLICT (user_id, word_id) DO UPDATE
           SET score = excluded.score, is_deleted = 0, modified_at = excluded.modified_at""",
        (f"u{rng.randrange(40)}", f"w{rng.randrange(120):05d}", rng.choice([1, 0.5, "much", None]), now_iso()),
    )


def soft_delete_progress():
    db.execute(
        "UPDATE progress SET is_deleted = 1, modified_at = ? WHERE user_id = ? AND word_id = ?",
        (now_iso(), f"u{rng.randrange(40)}", f"w{rng.randrange(120):05d}"),
    )


def insert_media():
    made["media"] += 1
    db.execute(
        "INSERT OR REPLACE INTO media VALUES (?, ?, ?)",
        (f"{NAME}-{made['media']}", rng.randbytes(rng.randint(0, 2000)), some_value()),
    )


def change_media():
    db.execute("UPDATE media SET note = ? WHERE id = ?", (some_value(), f"m{rng.randrange(3300):05d}"))


def broken_text():
    db.execute(
        "UPDATE media SET note = CAST(x'80ff41' AS TEXT) WHERE id = ?", (f"m{rng.randrange(3300):05d}",)
    )


def delete_media():
    db.execute("DELETE FROM media WHERE id = ?", (f"m{rng.randrange(3300):05d}",))


WRITES = [
    insert_words, insert_words, change_words, change_words, change_words, soft_delete_word, hard_delete_word,
    set_progress, set_progress, soft_delete_progress,
    insert_media, change_media, broken_text, delete_media,
]

for _ in range(TRANSACTIONS):
    db.execute("BEGIN IMMEDIATE")
    for _ in range(rng.choice([1, 1, 2, 5])):
        rng.choice(WRITES)()
    # an application that thinks better of it
    db.execute("ROLLBACK" if rng.random() < 0.05 else "COMMIT")
    time.sleep(PAUSE_S)
db.close()
