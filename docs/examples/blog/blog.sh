#!/usr/bin/env bash
# A blog in SQLite, by the shell: blog.sh FILE write SLUG TITLE BODY | comment SLUG AUTHOR TEXT | publish FOLDER
set -euo pipefail
file=$1
command=$2
shift 2

# The text of a command line as an SQL literal.
quote() { printf "'%s'" "${1//\'/\'\'}"; }

sql() { sqlite3 -batch -bail -cmd '.timeout 5000' "$file" "$@"; }

case $command in
  write)
    sql "INSERT INTO posts VALUES ($(quote "$1"), $(quote "$2"), $(quote "$3"), strftime('%Y-%m-%dT%H:%M:%fZ'))
         ON CONFLICT (slug) DO UPDATE
         SET title = excluded.title, body = excluded.body, modified_at = excluded.modified_at"
    ;;
  comment)
    sql "INSERT INTO comments SELECT $(quote "$1"), $(quote "$2"), count(*) + 1, $(quote "$3")
         FROM comments WHERE post = $(quote "$1") AND author = $(quote "$2")"
    ;;
  publish)
    mkdir -p "$1"
    for slug in $(sql 'SELECT slug FROM posts ORDER BY slug'); do
      {
        sql "SELECT '<h1>' || title || '</h1>' || char(10) || '<p>' || body || '</p>' FROM posts WHERE slug = $(quote "$slug")"
        sql "SELECT '<p><b>' || author || ':</b> ' || text || '</p>' FROM comments WHERE post = $(quote "$slug") ORDER BY author, number"
      } > "$1/$slug.html"
    done
    ;;
  *)
    echo "blog.sh FILE write SLUG TITLE BODY | comment SLUG AUTHOR TEXT | publish FOLDER" >&2
    exit 2
    ;;
esac
