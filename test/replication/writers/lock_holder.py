"""An application that leaves a transaction open: commits one row, then holds the write lock over another.

Arguments: database file. Prints `locked`, commits when its standard input ends, prints `committed`.
"""

import sqlite3
import sys
import time

db = sqlite3.connect(sys.argv[1], timeout=5.0, isolation_level=None)
now_ms = int(time.time() * 1000)
db.execute("INSERT INTO words VALUES ('late', 'committed just before', ?)", (now_ms,))
db.execute("BEGIN IMMEDIATE")
db.execute("INSERT INTO words VALUES ('held', 'not committed yet', ?)", (now_ms,))
print("locked", flush=True)
sys.stdin.read()
db.execute("COMMIT")
db.close()
print("committed")
