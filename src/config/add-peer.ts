import { randomBytes } from 'node:crypto';
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isNode, isScalar, isSeq, parseDocument, stringify, type YAMLSeq } from 'yaml';
import { messageOf, SyncError } from '../errors.js';
import { loadConfig } from './load.js';

/**
 * Enters a peer without an address in a configuration file that is sound, and leaves every other line and comment of
 * it as it is. The file is replaced as a whole, by one that is sound too. Throws `config_unwritable`.
 */
export function addPeer(file: string, name: string): void {
  const place = realpathSync(file);
  const text = withPeer(readFileSync(place, 'utf8'), name);
  // Beside the file: relative paths in it mean the same there.
  const draft = `${place}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(draft, text, { mode: statSync(place).mode, flag: 'wx' });
    loadConfig(draft);
    renameSync(draft, place);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new SyncError('config_unwritable', `${file} can't be written: ${messageOf(cause)}`, {
      hint: `Enter it yourself, under peers: as "- name: ${name}".`,
      cause,
    });
  }
}

/**
 * The text of a configuration with one more peer. Only where the list is written in one line, or is not there at all,
 * the library writes the text anew, which keeps comments but not every line break.
 */
export function withPeer(text: string, name: string): string {
  const document = parseDocument(text);
  const peers = document.get('peers', true);
  if (isSeq(peers) && peers.flow !== true && peers.items.length > 0) return withItem(text, peers, name);
  const [start, end] = isNode(peers) ? (peers.range ?? []) : [];
  const isEmpty = isSeq(peers) ? peers.items.length === 0 : isScalar(peers) && peers.value === null;
  if (isEmpty && start !== undefined && end !== undefined) {
    const rest = text.slice(end).replace(/^#/, ' #');
    return `${text.slice(0, start).trimEnd()}\n  - name: ${stringify(name).trim()}${rest}`;
  }
  document.addIn(['peers'], document.createNode(isSeq(peers) ? { name } : [{ name }]));
  return document.toString({ lineWidth: 0 });
}

/** One more item below the last of a list that has a line for each. */
function withItem(text: string, { range, items }: YAMLSeq, name: string): string {
  const listStart = range?.[0] ?? 0;
  const indent = ' '.repeat(listStart - (text.lastIndexOf('\n', listStart - 1) + 1));
  const last = items.at(-1);
  const itemEnd = text.slice(0, isNode(last) ? last.range?.[1] : range?.[1]).trimEnd().length;
  const lineEnd = text.indexOf('\n', itemEnd);
  const at = lineEnd === -1 ? text.length : lineEnd;
  return `${text.slice(0, at)}\n${indent}- name: ${stringify(name).trim()}${text.slice(at)}`;
}
