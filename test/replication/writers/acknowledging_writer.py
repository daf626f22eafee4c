"""An application that writes what it is told, row by row, and says what each write replaced.

Reads lines `[file, select, key, statement, parameters]` (JSON) from standard input until that ends. Each is one
transaction; the answer is a line `[value replaced or null, rows changed]`, printed once it is committed.
A write that fails ends it with a traceback.
"""

import json
import sqlite3
import sys

for line in sys.stdin:
    file, select, key, statement, parameters = json.loads(line)
    db = sqlite3.connect(file, timeout=20, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    found = db.execute(select, (key,)).fetchone()
    changed = db.execute(statement, parameters).rowcount
    db.execute("COMMIT")
    db.close()
    print(json.dumps([None if found is None else found[0], changed]), flush=True)
