import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { SyncError } from '../errors.js';

/** Below what systems give to outgoing connections, which could take the port of a daemon that is away. */
const FIRST_PORT = 10_000;
const LAST_PORT = 32_000;
const MAX_TRIES = 200;

/** Different ports on loopback that nothing listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries += 1) {
    if (tries === MAX_TRIES) throw new SyncError('demo_no_port', 'no free port was found on 127.0.0.1');
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
