import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { listen } from '#src/feed/listen.js';

describe('listen', () => {
  it('says which address is taken', async () => {
    const first = await listen(() => undefined, '127.0.0.1', 0);
    try {
      await listen(() => undefined, '127.0.0.1', first.port);
      expect.fail('the port was taken twice');
    } catch (error) {
      expect(error).to.be.instanceOf(SyncError).and.to.include({ code: 'port_taken', exitCode: 1 });
      expect((error as SyncError).message).to.include(`127.0.0.1:${first.port}`);
    } finally {
      await first.close(0);
    }
  });

  it('says why it can not listen on a foreign address', async () => {
    try {
      await listen(() => undefined, '192.0.2.1', 0);
      expect.fail('it listens on an address of others');
    } catch (error) {
      expect(error).to.be.instanceOf(SyncError).and.to.include({ code: 'listen_failed' });
    }
  });

  it('ends connections that do not end by themselves', async () => {
    const server = await listen(() => undefined, '127.0.0.1', 0);
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all([once(socket, 'close'), server.close(50)]);
  });
});
