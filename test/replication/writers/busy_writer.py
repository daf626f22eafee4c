"""An application with a busy timeout of one second that writes, row by row, until its standard input ends.

Arguments: database file, and what the keys of its rows begin with (default: added). Adds rows to the table "big" and updates those that are there.
Prints `writing` after its first write, and in the end how many it made and the longest that one took, in ms.
A write that fails ends it with a traceback.
"""

import select
import sqlite3
import sys
import time

db = sqlite3.connect(sys.argv[1], timeout=1.0, isolation_level=None)
prefix = sys.argv[2] if len(sys.argv) > 2 else "added"
writes = 0
longest_ms = 0.0
while not select.select([sys.stdin], [], [], 0)[0]:
    started = time.monotonic()
    if writes % 2 == 0:
        db.execute("INSERT INTO big VALUES (?, 'added', ?)", (f"{prefix}-{writes}", int(time.time() * 1000)))
    else:
        db.execute(
            "UPDATE big SET body = 'changed', updated_at = ? WHERE id = ?",
            (int(time.time() * 1000), f"r{writes * 7919 % 100000:06d}"),
        )
    longest_ms = max(longest_ms, (time.monotonic() - started) * 1000)
    writes += 1
    if writes == 1:
        print("writing", flush=True)
    time.sleep(0.001)
db.close()
print(f"writes {writes} longest {longest_ms:.0f}")
