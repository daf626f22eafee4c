"""An application in Python: reads lines "OPERATION<tab>FILE<tab>SOURCE", answers with the ms the operation took."""

import sqlite3
import sys
import time

INSERT = "INSERT INTO words VALUES (?, ?, ?, ?, ?, ?)"
UPDATE = "UPDATE words SET english = ?, updated_at = ? WHERE id = ?"
UPDATE_ALL = "UPDATE words SET english = english || ' 1', updated_at = updated_at + 1"


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def in_transaction(connection, work):
    connection.execute("BEGIN")
    work()
    connection.execute("COMMIT")


def run(operation, connection, rows):
    if operation == "bulk":
        in_transaction(connection, lambda: connection.executemany(INSERT, rows))
    elif operation == "commits":
        for row in rows:
            connection.execute(INSERT, row)
    elif operation == "rows":
        changes = [(english + " 1", updated_at + 1, key) for key, english, _, _, updated_at, _ in rows]
        in_transaction(connection, lambda: connection.executemany(UPDATE, changes))
    elif operation == "all":
        connection.execute(UPDATE_ALL)
    else:
        raise ValueError(operation)


def timed(operation, path, source):
    with_rows = connect(source)
    rows = with_rows.execute("SELECT * FROM words ORDER BY rowid").fetchall()
    with_rows.close()
    connection = connect(path)
    started = time.perf_counter()
    run(operation, connection, rows)
    elapsed_ms = (time.perf_counter() - started) * 1000
    connection.close()
    return elapsed_ms


print(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}", flush=True)
for line in sys.stdin:
    print(timed(*line.rstrip("\n").split("\t")), flush=True)
