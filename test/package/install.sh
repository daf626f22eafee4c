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
# Nothing that only a checkout needs, and types that a program in TypeScript finds.
needless=$(find node_modules/sqlite-p2p-sync -name node_modules -prune -o \( -name '*.map' -o -name '*.test.*' -o -path '*/demo/*' \) -print)
test -z "$needless" || { echo "the package holds what it need not: $needless" >&2; exit 1; }
cat > program.mts <<'END'
import { openReplica, SyncError, type StatusReport } from 'sqlite-p2p-sync';
const replica = await openReplica('./sync-config.yaml', { migrate: true });
replica.on('applied', (peer, page) => console.log(peer.toUpperCase(), page.applied + 1));
const { node }: StatusReport = await replica.status();
export const isMine = (error: unknown): boolean => error instanceof SyncError && error.code === node;
// @ts-expect-error: there is no such event, so the types are no mere any
replica.on('nothing', () => undefined);
END
"$project/node_modules/.bin/tsc" --noEmit --strict --skipLibCheck --module nodenext --target es2023 \
  --typeRoots "$project/node_modules/@types" --types node program.mts
node --input-type=module -e "
import { loadConfig, openReplica } from 'sqlite-p2p-sync';
if (typeof loadConfig !== 'function' || typeof openReplica !== 'function') process.exit(1);
"
echo "The tarball installs and runs: $tarball"
