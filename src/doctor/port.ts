import { listen } from '../feed/listen.js';
import { SyncError } from '../errors.js';
import type { Check } from './check.js';
import { fault, fine, warning } from './finding.js';
import type { Setup } from './subjects.js';

/** Whether our daemon answers at `node.listen`, or could. */
export const portCheck: Check<Setup> = {
  name: 'port',
  async look({ config, daemon, version }) {
    const { host, port } = config.node.listen;
    const at = `${host}:${port}`;
    if (!daemon.running) {
      if (port === 0) return [fine('no daemon was found; it may listen on any free port (port 0)')];
      await tryListening(host, port, daemon.error);
      return [fine(`no daemon runs; ${at} is free for it`)];
    }
    if (daemon.error !== null) {
      const fix =
        'Set the key that the daemon has in its environment here too, or start it again with this one.';
      return [warning(`the daemon at ${at} does not tell how it is: ${daemon.error.message}`, fix)];
    }
    const running = daemon.status?.version ?? 'unknown';
    if (running === version) return [fine(`the daemon answers at ${at}`)];
    const said = `the daemon at ${at} is of version ${running}, this program of ${version}`;
    return [fault(said, 'Start the daemon again.')];
  },
};

/** Throws `port_taken`, with who answers there, or `listen_failed`. */
async function tryListening(host: string, port: number, answer: SyncError | null): Promise<void> {
  try {
    const listening = await listen((_request, response) => void response.writeHead(503).end(), host, port);
    await listening.close(0);
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'port_taken' || answer === null) throw error;
    const { hint } = error;
    throw new SyncError(error.code, `${error.message} (${answer.message})`, {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
}
