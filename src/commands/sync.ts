import type { CommandContext, CommandDefinition } from '../cli/command.js';
import { openReplica, type Replica } from '../replica/replica.js';
import type { SyncOptions, SyncOutcome } from '../replica/sync-once.js';
import { narrowTable } from './narrow-table.js';
import { countingLine, type Progress } from './progress.js';

interface Options {
  readonly peer?: string;
  readonly full?: boolean;
}

export const command: CommandDefinition<Options> = {
  name: 'sync',
  summary: 'pull once from each peer to its head, and feed those with direction: both, without a daemon',
  configure(command) {
    command
      .option('--peer <name>', 'only from this peer')
      .option('--full', 'from the start: everything is compared again, nothing newer is overwritten');
  },
  async run(context, { peer, full }) {
    const config = context.loadConfig();
    const replica = await openReplica(config, context.logger);
    try {
      const outcomes = await syncCounted(context, replica, { peer, full });
      report(context, outcomes, config.peers.length);
      return outcomes.every(({ error }) => error === null) ? 0 : 1;
    } finally {
      await replica.stop();
    }
  },
};

/** On a terminal the count of what came stands there, from the first page on. */
async function syncCounted(
  context: CommandContext,
  replica: Replica,
  options: SyncOptions,
): Promise<SyncOutcome[]> {
  let line: Progress | null = null;
  let received = 0;
  const onReceived = (changes: number): void => {
    received += changes;
    if (received === 0) return;
    line ??= countingLine(context, 'changes received');
    line.update(received);
  };
  try {
    return await replica.sync({ ...options, onReceived });
  } finally {
    (line as Progress | null)?.stop();
  }
}

function report(context: CommandContext, outcomes: readonly SyncOutcome[], configured: number): void {
  const none = configured === 0 ? 'No peer is configured' : 'No peer has an address here';
  context.print(outcomes.length === 0 ? `${none}: nothing to pull.` : tableOf(outcomes));
  context.printJson({
    peers: outcomes.map(({ peer, result, offered, error }) =>
      error === null
        ? {
            peer,
            ok: true,
            ...counts(result),
            offered: offered === null ? null : counts(offered),
            error: null,
          }
        : { peer, ok: false, error: { code: error.code, message: error.message, hint: error.hint ?? null } },
    ),
  });
  for (const { peer, result, error } of outcomes) {
    if (error !== null)
      context.logger.error(result === null ? 'pull failed' : 'offer failed', { peer, error });
  }
}

function tableOf(outcomes: readonly SyncOutcome[]): string {
  const rows: string[][] = [];
  for (const { peer, result, offered, error } of outcomes) {
    const { applied, skipped, conflicts, quarantined } = counts(result);
    const outcome = error === null ? 'at its head' : error.code;
    rows.push([peer, ...[applied, skipped, conflicts, quarantined].map(String), outcome]);
    if (offered === null) continue;
    const there = counts(offered);
    const counted = [there.applied, there.skipped, there.conflicts, there.quarantined].map(String);
    rows.push([`to ${peer}`, ...counted, 'has all of ours']);
  }
  return narrowTable({
    head: ['peer', 'applied', 'skipped', 'conflicts', 'quarantined', 'result'],
    widths: [13, 9, 9, 11, 13, 18],
    rows,
  });
}

function counts(result: SyncOutcome['result'] | SyncOutcome['offered']) {
  const {
    received = 0,
    applied = 0,
    skipped = 0,
    conflicts = 0,
    quarantined = 0,
    durationMs = 0,
  } = result ?? {};
  return { received, applied, skipped, conflicts, quarantined, duration_ms: durationMs };
}
