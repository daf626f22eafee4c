"""Notes in a SQLite file. It knows nothing of replication.

  notes.py FILE add TITLE BODY     notes.py FILE list
  notes.py FILE edit ID BODY       notes.py FILE remove ID
"""

import sqlite3
import sys
import time
import uuid

SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  updated_at INTEGER NOT NULL,   -- ms since 1970
  deleted_at INTEGER             -- NULL: not deleted
)
"""


def now_ms():
    return time.time_ns() // 1_000_000


def add(database, title, body):
    note = str(uuid.uuid4())
    database.execute("INSERT INTO notes VALUES (?, ?, ?, ?, NULL)", (note, title, body, now_ms()))
    print(note)


def edit(database, note, body):
    row = (body, now_ms(), note)
    require_one(database.execute("UPDATE notes SET body = ?, updated_at = ? WHERE id = ?", row))


def remove(database, note):
    row = (now_ms(), now_ms(), note)
    require_one(database.execute("UPDATE notes SET deleted_at = ?, updated_at = ? WHERE id = ?", row))


def list_notes(database):
    for row in database.execute("SELECT id, title, body FROM notes WHERE deleted_at IS NULL ORDER BY title"):
        print(*row, sep="\t")


def require_one(cursor):
    if cursor.rowcount != 1:
        sys.exit("there is no such note")


COMMANDS = {"add": add, "edit": edit, "remove": remove, "list": list_notes}


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in COMMANDS:
        sys.exit(__doc__)
    # The daemon writes to the same file now and then: wait for its lock.
    database = sqlite3.connect(sys.argv[1], timeout=5)
    with database:
        database.execute(SCHEMA)
        COMMANDS[sys.argv[2]](database, *sys.argv[3:])
    database.close()


main()
