"""A second reader of the feed, by docs/protocol.md alone: standard library, no code of the project.

  second_reader.py ADDRESS FILE LIMIT     pulls to the head of the feed, says how many pages and changes came

FILE has the tables already. Versions and the cursor are kept in tables of its own, in the same file.
"""

import base64
import hashlib
import json
import sqlite3
import sys
import urllib.error
import urllib.parse
import urllib.request
from decimal import Decimal

OWN_TABLES = """
CREATE TABLE IF NOT EXISTS reader_versions (tbl, key, rank, stamp, origin, fingerprint, PRIMARY KEY (tbl, key));
CREATE TABLE IF NOT EXISTS reader_cursor (cursor);
"""


class Text(bytes):
    """TEXT that is not clean UTF-8."""


def value_of(wire):
    if not isinstance(wire, dict):
        return wire
    ((tag, text),) = wire.items()
    if tag == "$int":
        return int(text)
    if tag == "$real":
        return float(text)
    if tag == "$blob":
        return base64.b64decode(text, validate=True)
    if tag == "$text":
        return Text(base64.b64decode(text, validate=True))
    raise ValueError(f"unknown tag {tag}")


def units(text):
    """Text as UTF-16 code units."""
    return text.encode("utf-16-be", "surrogatepass")


def real_text(real):
    """A REAL as JavaScript prints it."""
    if real == 0:
        return "-0" if str(real).startswith("-") else "0"
    if real in (float("inf"), float("-inf")):
        return "Infinity" if real > 0 else "-Infinity"
    sign, digits, exponent = Decimal(repr(real)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if len(text) <= point <= 21:
        body = text + "0" * (point - len(text))
    elif 0 < point <= 21:
        body = text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        body = "0." + "0" * -point + text
    else:
        power = point - 1
        body = text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e{'+' if power > 0 else '-'}{abs(power)}"
    return ("-" if sign else "") + body


def written(value):
    if isinstance(value, Text):
        return "x" + hashlib.sha256(value).hexdigest()
    if isinstance(value, bytes):
        return "b" + hashlib.sha256(value).hexdigest()
    if isinstance(value, str):
        return f"t{len(units(value)) // 2}:{value}"
    if isinstance(value, int):
        return f"i{value};"
    return f"r{real_text(value)};"


def fingerprint_of(record):
    columns = sorted((name for name, value in record.items() if value is not None), key=units)
    text = "".join(f"{len(units(name)) // 2}:{name}{written(record[name])}" for name in columns)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def hole(value):
    return "CAST(? AS TEXT)" if isinstance(value, Text) else "?"


def key_columns(database, table):
    rows = database.execute("SELECT name, pk FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,))
    return [name for name, _ in rows]


def delete_row(database, table, key):
    names = key_columns(database, table)
    condition = " AND ".join(f"{quoted(name)} IS {hole(value)}" for name, value in zip(names, key, strict=True))
    database.execute(f"DELETE FROM {quoted(table)} WHERE {condition}", key)


def write_row(database, table, key, record):
    delete_row(database, table, key)
    names = ", ".join(map(quoted, record))
    holes = ", ".join(map(hole, record.values()))
    database.execute(f"INSERT INTO {quoted(table)} ({names}) VALUES ({holes})", list(record.values()))


def apply_change(database, change):
    """Whether it was written."""
    table, key_text = change["table"], json.dumps(change["key"])
    version = (change.get("rank", 0), change["stamp"], change["origin"], change.get("fingerprint", ""))
    known = database.execute(
        "SELECT rank, stamp, origin, fingerprint FROM reader_versions WHERE tbl = ? AND key = ?", (table, key_text)
    ).fetchone()
    if known is not None and known >= version:
        return False
    key = [value_of(value) for value in change["key"]]
    if change["operation"] == "delete":
        delete_row(database, table, key)
    else:
        record = {name: value_of(value) for name, value in change["record"].items()}
        if fingerprint_of(record) != change["fingerprint"]:
            raise ValueError(f"another fingerprint than {change['fingerprint']}: {fingerprint_of(record)}, {record}")
        write_row(database, table, key, record)
    database.execute("REPLACE INTO reader_versions VALUES (?, ?, ?, ?, ?, ?)", (table, key_text, *version))
    return True


def ask(address, path):
    with urllib.request.urlopen(address + path, timeout=30) as answer:
        return answer.read(), answer.headers


def page_after(address, cursor, limit):
    query = urllib.parse.urlencode({"since": cursor, "limit": limit})
    body, headers = ask(address, f"/sync/changes?{query}")
    if hashlib.sha256(body).hexdigest() != headers["x-page-sha256"]:
        raise ValueError("the page does not match its checksum")
    page = json.loads(body)
    if page["protocol"] != 1:
        raise ValueError(f"protocol {page['protocol']}")
    return page


def next_page(address, cursor, limit):
    try:
        return page_after(address, cursor, limit)
    except urllib.error.HTTPError as error:
        if error.code != 410:
            raise
        return page_after(address, "", limit)


def pull(address, database, limit):
    pages = written_rows = 0
    more = True
    while more:
        stored = database.execute("SELECT cursor FROM reader_cursor").fetchone()
        page = next_page(address, stored[0] if stored else "", limit)
        with database:
            for change in sorted(page["changes"], key=lambda each: each["operation"] != "delete"):
                written_rows += apply_change(database, change)
            database.execute("DELETE FROM reader_cursor")
            database.execute("INSERT INTO reader_cursor VALUES (?)", (page["next_cursor"],))
        pages += 1
        more = page["has_more"]
    return pages, written_rows


def main():
    address, file, limit = sys.argv[1:]
    health = json.loads(ask(address, "/health")[0])
    if health["protocol"] != 1:
        sys.exit(f"the peer speaks protocol {health['protocol']}, this reader 1")
    database = sqlite3.connect(file)
    database.executescript(OWN_TABLES)
    pages, rows = pull(address, database, int(limit))
    database.close()
    print(f"{pages} pages, {rows} rows")


main()
