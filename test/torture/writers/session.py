"""Runs one scripted session on a database with Python's own SQLite, and prints what came of every step as JSON."""

import base64
import json
import sqlite3
import sys

TAGS = {
    "$int": int,
    "$real": lambda text: float(text.replace("Infinity", "inf")),
    "$blob": base64.b64decode,
}


def decoded(value):
    if isinstance(value, dict):
        ((tag, text),) = value.items()
        return TAGS[tag](text)
    return value


def shown(value):
    """A value with its type, exactly; text as the bytes that it is."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return f"integer {value}"
    if isinstance(value, float):
        return f"real {value!r}"
    if isinstance(value, str):
        return "text " + value.encode("utf-8", "surrogateescape").hex()
    return "blob " + value.hex()


def failure(error):
    return {
        "type": type(error).__name__,
        "code": getattr(error, "sqlite_errorname", None),
        "message": str(error),
    }


def outcome(connection, step):
    result = {"rows": [], "rowcount": None, "lastrowid": None, "error": None}
    try:
        if "many" in step:
            parameters = [[decoded(value) for value in row] for row in step["many"]]
            cursor = connection.executemany(step["sql"], parameters)
        else:
            cursor = connection.execute(step["sql"], [decoded(value) for value in step.get("values", [])])
        result["rows"] = [[shown(value) for value in row] for row in cursor.fetchall()]
        result["rowcount"] = cursor.rowcount
        result["lastrowid"] = cursor.lastrowid
    except sqlite3.Error as error:
        result["error"] = failure(error)
    counters = connection.execute("SELECT changes(), total_changes(), last_insert_rowid()").fetchone()
    result["changes"], result["totalChanges"], result["lastInsertRowid"] = counters
    result["inTransaction"] = connection.in_transaction
    result["entries"] = entries(connection)
    return result


def entries(connection):
    """The newest id of the changelog; null where there is none."""
    try:
        return connection.execute("SELECT max(id) FROM main._sync_changes").fetchone()[0]
    except sqlite3.Error:
        return None


def main():
    session = json.load(sys.stdin)
    connection = sqlite3.connect(session["file"], timeout=10, isolation_level=None)
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    json.dump([outcome(connection, step) for step in session["steps"]], sys.stdout)
    connection.close()


main()
