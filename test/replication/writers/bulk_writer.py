"""An application that writes in bulk: transactions of some hundred rows, until its standard input ends.

Arguments: database file, name (part of the keys that it makes).
Prints `committed N` after each transaction, N being the rows of its own that the table holds then.
A write that fails ends it with a traceback.
"""

import select
import sqlite3
import sys
import time

FILE, NAME = sys.argv[1], sys.argv[2]
ROWS = 300

db = sqlite3.connect(FILE, timeout=10, isolation_level=None)
made = 0
alive = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    db.execute("BEGIN IMMEDIATE")
    now_ms = int(time.time() * 1000)
    db.executemany(
        "INSERT INTO words VALUES (?, ?, ?)",
        [(f"{NAME}-{made + row}", f"written by {NAME}", now_ms) for row in range(ROWS)],
    )
    made += ROWS
    alive += ROWS
    db.execute(
        "UPDATE words SET english = english || '!', updated_at = ? WHERE id BETWEEN ? AND ?",
        (now_ms, f"{NAME}-1", f"{NAME}-12"),
    )
    alive -= db.execute("DELETE FROM words WHERE id = ?", (f"{NAME}-{made // 2}",)).rowcount
    db.execute("COMMIT")
    print(f"committed {alive}", flush=True)
    time.sleep(0.05)
db.close()
