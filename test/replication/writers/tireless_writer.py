"""An application that makes one transaction after the other, without a pause between them.

Arguments: database file, number of transactions. Each updates every row of the table "words" by its key.
It waits for the write lock one second at most; a write that fails ends it with a traceback.
"""

import sqlite3
import sys

db = sqlite3.connect(sys.argv[1], timeout=1.0, isolation_level=None)
db.execute("PRAGMA synchronous = NORMAL")
ids = [id for (id,) in db.execute("SELECT id FROM words")]
for transaction in range(int(sys.argv[2])):
    rows = [(transaction, id) for id in ids]
    db.execute("BEGIN IMMEDIATE")
    db.executemany("UPDATE words SET english = ? WHERE id = ?", rows)
    db.execute("COMMIT")
db.close()
