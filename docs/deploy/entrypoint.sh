#!/bin/sh
# start: prepares the database where that is still to be done, and becomes the daemon. Anything else is a command.
set -eu
if [ "${1:-start}" = start ]; then
  sqlite-p2p-sync migrate
  sqlite-p2p-sync backfill
fi
exec sqlite-p2p-sync "$@"
