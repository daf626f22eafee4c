import type { MemberReport } from '../replica/member-report.js';
import { agoText } from './ago.js';
import { narrowTable } from './narrow-table.js';

/** The replicas of the group besides this one, no wider than 80 columns. */
export function membersText(members: readonly MemberReport[], head: number, nowMs: number): string {
  if (members.length === 0) return 'No other replica was heard of.';
  return narrowTable({
    head: ['replica', 'epoch', 'has of ours', 'held', 'last told', 'known'],
    widths: [18, 12, 14, 7, 11, 10],
    rows: members.map((member) => [
      member.node,
      member.epoch.slice(0, 8) || '-',
      `${member.has} of ${head}`,
      String(member.held),
      member.told_ms === null ? 'never' : agoText(member.told_ms, nowMs),
      member.forgotten ? 'forgotten' : member.via,
    ]),
  });
}

/** Why tombstones stay, one line a member. */
export function blocksText(members: readonly MemberReport[]): string[] {
  return members.flatMap(({ node, blocks }) =>
    blocks === null
      ? []
      : [
          `Nothing can be pruned: ${node} ${blocks}. If it is gone for good: sqlite-p2p-sync peers forget ${node}`,
        ],
  );
}
