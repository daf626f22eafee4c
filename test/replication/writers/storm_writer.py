"""An application that commits one new row after the other, as fast as it can.

Arguments: database file, how many rows, what their keys begin with. Writes to the table "words", prints `done` in the end.
A write that fails ends it with a traceback.
"""

import sqlite3
import sys
import time

db = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
for number in range(int(sys.argv[2])):
    now_ms = int(time.time() * 1000)
    db.execute("INSERT INTO words VALUES (?, 'stormy', ?)", (f"{sys.argv[3]}-{number}", now_ms))
db.close()
print("done", flush=True)
