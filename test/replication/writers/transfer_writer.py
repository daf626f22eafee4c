"""An application whose every transaction moves an amount between two accounts and notes that in a third table.

Arguments: database file. Runs until its standard input ends; prints `committed N` after each transaction.
Whatever moment is looked at, the balances add up to 0, and there are two notes for each transfer.
"""

import select
import sqlite3
import sys
import time

db = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
made = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    db.execute("BEGIN IMMEDIATE")
    amount = made % 97 + 1
    db.execute("UPDATE accounts SET balance = balance - ? WHERE id = ?", (amount, f"a{made % 50}"))
    db.execute("INSERT INTO notes VALUES (?, ?, ?)", (f"n{made}-out", made, "x" * 500))
    db.execute("UPDATE accounts SET balance = balance + ? WHERE id = ?", (amount, f"b{made % 50}"))
    db.execute("INSERT INTO notes VALUES (?, ?, ?)", (f"n{made}-in", made, "y" * 500))
    db.execute("COMMIT")
    made += 1
    print(f"committed {made}", flush=True)
    time.sleep(0.001)
db.close()
