import { Reader } from '#src/threads/reader.js';
import { Writer } from '#src/threads/writer.js';
import type { DatabaseFile } from '../stand-ins/database-file.js';

/** Pulls one page of what a database file has into another, without HTTP and daemons. */
export async function pullFile(from: DatabaseFile, into: DatabaseFile, limit = 1_000): Promise<void> {
  await folded(from);
  const reader = new Reader(from.config);
  await reader.open();
  const page = await reader.page({ since: '', limit, node: null, epoch: null, tables: null });
  await reader.close();
  const peer = from.config.node.id;
  const writer = new Writer(into.config);
  await writer.open();
  await writer.resetCursor(peer);
  await writer.apply({ peer, since: '', epoch: null, body: page.body, sha256: page.sha256 });
  await writer.close();
}

async function folded({ config }: DatabaseFile): Promise<void> {
  const writer = new Writer(config);
  await writer.open();
  await writer.fold();
  await writer.close();
}
