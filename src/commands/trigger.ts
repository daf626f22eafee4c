import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import { openDaemon } from './daemon.js';

export const command: CommandDefinition = {
  name: 'trigger',
  summary: 'ask the running daemon to pull from a peer now (from all without PEER)',
  configure(command) {
    command.argument('[PEER]', 'name or address of a configured peer');
  },
  run: (context, _options, [peer]) => trigger(context, peer),
};

/** Without a peer: all of them. */
export async function trigger(context: CommandContext, peer: string | undefined): Promise<ExitStatus> {
  const daemon = await openDaemon(context.loadConfig());
  try {
    const answer =
      peer === undefined
        ? await daemon.ask({ method: 'POST', path: '/sync/trigger-all' })
        : await daemon.ask({ method: 'POST', path: '/sync/trigger', body: { peer } });
    context.print(`The daemon pulls from ${peersOf(answer)} now.`);
    context.printJson(answer);
    return 0;
  } finally {
    await daemon.close();
  }
}

function peersOf(answer: unknown): string {
  const { peer, peers = [] } = answer as { peer?: string; peers?: string[] };
  if (peer !== undefined) return peer;
  return peers.length === 0 ? 'no peer (none is configured)' : peers.join(', ');
}
