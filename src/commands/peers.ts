import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import { openChangelog, type Changelog } from '../changelog/changelog.js';
import { forgetMember } from '../changelog/forget-member.js';
import type { StoredPeer } from '../changelog/local-status.js';
import { pruneBound } from '../changelog/prune.js';
import type { Config } from '../config/config.js';
import { memberReports } from '../replica/member-report.js';
import { statement } from '../sql/template.js';
import { accept, foundByDaemon } from './accept-peer.js';
import { actionOf, usage } from './actions.js';
import { foundText } from './found-text.js';
import { blocksText, membersText } from './members-text.js';
import { reading, writing } from './own-connection.js';

const ACTIONS = ['list', 'accept', 'forget'] as const;

export const command: CommandDefinition = {
  name: 'peers',
  summary: 'show the replicas of the group, accept one that was found, or forget one that is gone for good',
  configure(command) {
    command
      .usage('[list | accept NAME | forget NAME] [options]')
      .argument('[action]', 'list (without one), accept or forget')
      .argument('[NAME]', 'the node id of a replica that was found or heard of');
  },
  run: (context, _options, [given, name]) => {
    const action = actionOf('peers', ACTIONS, given);
    if (action === 'accept') return accept(context, name);
    return action === 'forget' ? forget(context, name) : list(context, name);
  },
};

/** Node ids of those that have asked us, or that we ask. */
export function directlyKnown(changelog: Changelog, config: Config): string[] {
  const stored = changelog.prepare(statement('peers/all')).all() as StoredPeer[];
  return [...config.peers.map(({ name }) => name), ...stored.map(({ name }) => name)];
}

async function list(context: CommandContext, extra: string | undefined): Promise<ExitStatus> {
  if (extra !== undefined) throw usage('peers list takes no NAME', 'It lists all.');
  const config = context.loadConfig();
  const { bound, direct } = reading(config, (database) => {
    const changelog = openChangelog(database, []);
    const configured = config.peers.map(({ name }) => name);
    return { bound: pruneBound(changelog, configured), direct: directlyKnown(changelog, config) };
  });
  const members = memberReports(bound, direct);
  const found = await foundByDaemon(config);
  const nowMs = Date.now();
  context.print(
    [membersText(members, bound.head, nowMs), ...foundText(found ?? [], nowMs), ...blocksText(members)].join(
      '\n',
    ),
  );
  context.printJson({ head: bound.head, members, found: found ?? [] });
  return 0;
}

async function forget(context: CommandContext, name: string | undefined): Promise<ExitStatus> {
  if (name === undefined) {
    throw usage('peers forget names no replica', 'sqlite-p2p-sync peers shows those that were heard of.');
  }
  const config = context.loadConfig();
  const configured = config.peers.map((peer) => peer.name);
  const forgotten = await writing(config, ({ changelog, clock, inWrite }) =>
    inWrite(() => forgetMember(changelog(), name, configured, clock().nowMs)),
  );
  context.print(
    `${name} is forgotten, here and wherever this is heard of: nothing waits for it any more. If it returns, rows that ` +
      'were deleted meanwhile and that it still has go to quarantine.',
  );
  context.printJson({ forgotten: { node: forgotten.node, epoch: forgotten.epoch } });
  return 0;
}
