"""Runs each statement on two databases with Python's own SQLite, and answers what either said: one JSON line a line."""

import json
import sqlite3
import sys


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.text_factory = bytes
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def run(connection, sql):
    answer = {}
    try:
        cursor = connection.execute(sql)
        answer["rows"] = repr(cursor.fetchall())
        answer["rowcount"] = cursor.rowcount
    except sqlite3.Error as error:
        answer["error"] = error.sqlite_errorname
        answer["message"] = str(error)
    answer["changes"] = connection.execute("SELECT changes()").fetchone()[0]
    answer["last_insert_rowid"] = connection.execute("SELECT last_insert_rowid()").fetchone()[0]
    answer["in_transaction"] = connection.in_transaction
    return answer


connections = []
for line in sys.stdin:
    request = json.loads(line)
    if "open" in request:
        connections = [connect(path) for path in request["open"]]
        answer = []
    elif "close" in request:
        for connection in connections:
            connection.close()
        connections = []
        answer = []
    else:
        answer = [run(connection, request["sql"]) for connection in connections]
    print(json.dumps(answer), flush=True)
