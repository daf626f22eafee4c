/*
 * `GET /sync/snapshot` answers with a SQLite file: the replicated tables with their rows, and what a replica knows of
 * them. One row of its table `_sync_snapshot` says what it is (docs/protocol.md).
 */

/** Lower-case hex SHA-256 of the file. */
export const SNAPSHOT_HASH_HEADER = 'x-snapshot-sha256';

/** Bytes of the file, also where what crosses is compressed. */
export const SNAPSHOT_LENGTH_HEADER = 'x-snapshot-length';

/** Of the description. */
export const SNAPSHOT_FORMAT = 1;
