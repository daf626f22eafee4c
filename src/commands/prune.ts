import { countSoftDeleted } from '../apply/expire.js';
import { retain } from '../apply/retention.js';
import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import { openChangelog } from '../changelog/changelog.js';
import { countPrunable, pruneBound, type PruneBound } from '../changelog/prune.js';
import { checkTables } from '../database/check-tables.js';
import { memberReports } from '../replica/member-report.js';
import { blocksText, membersText } from './members-text.js';
import { directlyKnown } from './peers.js';
import { reading, writing } from './own-connection.js';
import { stepsBar } from './progress.js';

interface Options {
  readonly dryRun?: boolean;
}

export const command: CommandDefinition<Options> = {
  name: 'prune',
  summary: 'drop the tombstones that every replica of the group has',
  configure(command) {
    command.option('--dry-run', 'only say what would go, and what stays because of whom');
  },
  run: (context, { dryRun = false }) => (dryRun ? Promise.resolve(foresee(context)) : run(context)),
};

interface Outcome {
  readonly pruned: number;
  readonly expired: number;
  readonly refused: number;
  readonly bound: PruneBound;
  readonly direct: readonly string[];
}

function foresee(context: CommandContext): ExitStatus {
  const config = context.loadConfig();
  const { softDeletedMs } = config.retention;
  const outcome = reading(config, (database): Outcome => {
    const changelog = openChangelog(database, checkTables(config, database));
    const bound = pruneBound(
      changelog,
      config.peers.map(({ name }) => name),
    );
    const expired = softDeletedMs === null ? 0 : countSoftDeleted(changelog, Date.now() - softDeletedMs);
    const direct = directlyKnown(changelog, config);
    return { pruned: countPrunable(changelog, bound.upTo), expired, refused: 0, bound, direct };
  });
  report(context, outcome, true);
  return 0;
}

async function run(context: CommandContext): Promise<ExitStatus> {
  const config = context.loadConfig();
  const bar = stepsBar(context, 'prune', 'entries of the log');
  const outcome = await writing(config, async ({ changelog, inWrite }): Promise<Outcome> => {
    const onProgress = bar.show;
    const retained = await retain({ changelog, inWrite, config, nowMs: Date.now(), onProgress });
    return { ...retained, direct: directlyKnown(changelog(), config) };
  }).finally(bar.stop);
  report(context, outcome, false);
  return 0;
}

function report(context: CommandContext, outcome: Outcome, dryRun: boolean): void {
  const { pruned, expired, refused, bound, direct } = outcome;
  const members = memberReports(bound, direct);
  const would = dryRun ? ' would' : '';
  const lines = [
    `${pruned} tombstones${would} go, up to log id ${bound.upTo} of ${bound.head}.`,
    ...(expired > 0 ? [`${expired} rows soft-deleted long ago${would} become ordinary deletes.`] : []),
    ...(refused > 0 ? [`${refused} of them can't be deleted: the database itself refuses it.`] : []),
    membersText(members, bound.head, Date.now()),
    ...blocksText(members),
  ];
  context.print(lines.join('\n'));
  context.printJson({
    dry_run: dryRun,
    pruned,
    expired,
    refused,
    up_to: bound.upTo,
    head: bound.head,
    members,
  });
}
