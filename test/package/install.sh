#!/usr/bin/env bash
# Packs the project, installs the tarball in an empty folder, and runs it there on a database of its own.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cd "$project"
tarball=$(npm pack --silent --pack-destination "$folder" | tail -n 1)

cd "$folder"
printf '{"private": true, "allowScripts": {"better-sqlite3": true}}\n' > package.json
npm install --no-audit --no-fund "./$tarball"

node -e "
const Database = require('better-sqlite3');
new Database('app.db').exec(\"CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT); INSERT INTO words VALUES ('a', 'x')\");
"
npx --no-install sqlite-p2p-sync --version
npx --no-install sqlite-p2p-sync init --db app.db --node packed
npx --no-install sqlite-p2p-sync migrate
npx --no-install sqlite-p2p-sync backfill
npx --no-install sqlite-p2p-sync status
for file in index.html main.js style.css icon.svg; do
  test -s "node_modules/sqlite-p2p-sync/dist/dashboard/page/$file" || { echo "the dashboard lacks $file" >&2; exit 1; }
done
node --input-type=module -e "
import { loadConfig, openReplica } from 'sqlite-p2p-sync';
if (typeof loadConfig !== 'function' || typeof openReplica !== 'function') process.exit(1);
"
echo "The tarball installs and runs: $tarball"
