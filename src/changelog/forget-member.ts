import { SyncError } from '../errors.js';
import { unheard, type Member } from '../wire/members.js';
import { readReplica, type Changelog } from './changelog.js';
import { putMember, readMembers } from './members.js';

/**
 * Counts a replica as gone, here and, as it travels, everywhere, until it says something newer. Call inside a write
 * transaction. `configured` are the node ids of the peers. Throws `unknown_member`.
 */
export function forgetMember(
  changelog: Changelog,
  node: string,
  configured: readonly string[],
  nowMs: number,
): Member {
  if (node === readReplica(changelog.database).node) {
    throw new SyncError('unknown_member', `"${node}" is this replica itself.`, {
      hint: 'To take it out of the group run peers forget on another replica.',
      exitCode: 2,
    });
  }
  const known =
    readMembers(changelog).get(node) ?? (configured.includes(node) ? unheard(node, '') : undefined);
  if (known === undefined) {
    throw new SyncError('unknown_member', `No replica "${node}" was ever heard of here.`, {
      hint: 'sqlite-p2p-sync peers shows those that were.',
      exitCode: 2,
    });
  }
  const forgotten = { ...known, forgotten_ms: Math.max(nowMs, known.told_ms) };
  putMember(changelog, forgotten);
  return forgotten;
}
