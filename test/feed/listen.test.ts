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

  it('cuts a client that sends its headers drop by drop, while it serves others', async () => {
    const server = await listen((_request, response) => response.end('served'), '127.0.0.1', 0, {
      headersTimeoutMs: 200,
      lookIntervalMs: 50,
    });
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    const drops = setInterval(() => socket.write('x: y\r\n'), 20);
    const closed = once(socket, 'close');
    expect(await (await fetch(`http://127.0.0.1:${server.port}/`)).text()).to.equal('served');
    await closed;
    clearInterval(drops);
    await server.close(0);
  });

  it('refuses a URL or headers that have no end', async () => {
    const server = await listen((_request, response) => response.end(), '127.0.0.1', 0);
    const url = `http://127.0.0.1:${server.port}/`;
    expect((await fetch(`${url}?${'x'.repeat(17_000)}`)).status).to.equal(431);
    expect((await fetch(url, { headers: { x: 'y'.repeat(17_000) } })).status).to.equal(431);
    await server.close(0);
  });
});
