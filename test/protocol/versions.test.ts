import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { runMain } from '../cli/captured.js';
import { createDatabaseFile } from '../stand-ins/database-file.js';

describe('A peer of another protocol', function () {
  this.timeout(60_000);
  let server: Server;
  let asked: string[];

  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  /** A peer that says in `/health` which protocol it speaks, and notes what it is asked. */
  async function peer(protocol: number): Promise<string> {
    asked = [];
    server = createServer((request, response) => {
      asked.push((request.url ?? '').split('?')[0] ?? '');
      const health = {
        status: 'ok',
        node: 'bob',
        version: '9.0.0',
        protocol,
        epoch: '0b',
        server_time_ms: Date.now(),
      };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(health));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  for (const [which, protocol] of [
    ['newer', 2],
    ['older', 0],
  ] as const) {
    it(`that is ${which} is refused with both numbers and what to do, before it is asked for anything`, async () => {
      const { file, app } = await createDatabaseFile('ann', {
        peers: [{ name: 'bob', address: await peer(protocol) }],
      });
      app.close();
      const { status, stdout, stderr } = await runMain(['sync', '--json', '--config', file]);
      expect(status).to.equal(1);
      const [{ error }] = (JSON.parse(stdout) as { peers: [{ error: Record<string, string> }] }).peers;
      expect(error).to.include({ code: 'protocol_mismatch' });
      expect(error.message).to.contain(`speaks protocol ${protocol}, this replica 1`);
      expect(error.hint).to.contain('same version');
      expect(stderr).to.contain('protocol_mismatch');
      expect([...new Set(asked)]).to.deep.equal(['/health']);
    });
  }
});
