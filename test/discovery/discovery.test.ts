import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startDiscovery, type Discovery } from '#src/discovery/discovery.js';
import { lookAround } from '#src/discovery/look-around.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { until } from '../replication/group.js';
import { announce } from './packets.js';

const LOOPBACK = '127.0.0.1';
const GROUP = '224.0.0.251';

/** Real multicast on the loopback interface. */
describe('discovery', () => {
  const running: Discovery[] = [];
  const sockets: Socket[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
    for (const socket of sockets.splice(0)) socket.close();
  });

  interface Started {
    readonly discovery: Discovery;
    readonly log: LogRecorder;
    readonly found: string[];
  }

  async function start(node: string, port = 8091, wanted: readonly string[] = []): Promise<Started> {
    const log = new LogRecorder();
    const found: string[] = [];
    const discovery = await startDiscovery({
      own: { node, epoch: randomBytes(8).toString('hex'), port, scheme: 'http' },
      interfaceAddress: LOOPBACK,
      logger: log.logger,
      isWanted: (each) => wanted.includes(each),
      onFound: (each) => found.push(each),
    });
    if (discovery === null) throw new Error('Expected multicast on the loopback interface');
    running.push(discovery);
    return { discovery, log, found };
  }

  async function sender(): Promise<(packet: Buffer) => Promise<void>> {
    const socket = createSocket('udp4');
    sockets.push(socket);
    socket.bind(0, '0.0.0.0');
    await once(socket, 'listening');
    socket.setMulticastInterface(LOOPBACK);
    return (packet) =>
      new Promise((resolve, reject) => {
        socket.send(packet, 5353, GROUP, (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      });
  }

  it('finds others and is found by them, but does not find itself', async () => {
    const [first, second] = [nodeId(), nodeId()];
    const a = await start(first, 8101);
    const b = await start(second, 8102);
    await until(() => a.found.includes(second) && b.found.includes(first), 'both found');
    expect(a.discovery.addressesOf(second)).to.deep.equal(['http://127.0.0.1:8102']);
    expect(b.discovery.addressesOf(first)).to.deep.equal(['http://127.0.0.1:8101']);
    expect(a.discovery.addressesOf(first)).to.deep.equal([]);
  });

  it('forgets at once who says goodbye', async () => {
    const [first, second] = [nodeId(), nodeId()];
    const a = await start(first);
    const b = await start(second);
    await until(() => a.found.includes(second), 'the other');
    running.splice(running.indexOf(b.discovery), 1);
    await b.discovery.stop();
    await until(() => a.discovery.addressesOf(second).length === 0, 'goodbye');
  });

  it('looks around once for a command, no longer than it must', async () => {
    const node = nodeId();
    await start(node, 8103);
    const startedMs = performance.now();
    const { logger } = new LogRecorder();
    const heard = await lookAround({ interfaceAddress: LOOPBACK, logger, wanted: [node] });
    expect(heard.filter((each) => each.node === node).map(({ addresses }) => addresses[0])).to.deep.equal([
      'http://127.0.0.1:8103',
    ]);
    expect(performance.now() - startedMs).to.be.lessThan(1400);
  });

  it('outlives hostile packets, shows nothing of them, and finds a configured peer among thousands', async () => {
    const peer = nodeId();
    const a = await start(nodeId(), 8104, [peer]);
    const send = await sender();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const broken = announce({ node: 'x', port: 1 });
    for (let cut = 1; cut < broken.length; cut += 7) await send(broken.subarray(0, cut));
    for (let round = 0; round < 200; round += 1) {
      const noise = Buffer.from(broken);
      for (let flips = 0; flips < 8; flips += 1) noise[(round * 31 + flips * 17) % noise.length] = round;
      await send(noise);
    }
    await send(announce({ node: 'a\u001b[2J\nb', port: 1 }));
    await send(announce({ node: 'n'.repeat(200), port: 1 }));
    await send(announce({ node: 'ok', port: 0 }));
    for (let index = 0; index < 3000; index += 1) await send(announce({ node: `flood${index}`, port: 9 }));
    delay.disable();
    const found = a.discovery.all().map(({ node }) => node);
    expect(found.length).to.be.at.most(64 + 4);
    for (const node of found) expect(node).to.match(/^[A-Za-z0-9._-]{1,64}$/);
    expect(delay.max / 1e6, 'longest block of the event loop, ms').to.be.lessThan(500);
    await until(async () => {
      await send(announce({ node: peer, port: 8105 }));
      return a.found.includes(peer);
    }, 'the peer after the flood');
    expect(a.discovery.addressesOf(peer)).to.deep.equal(['http://127.0.0.1:8105']);
  });

  it('loads its library only where it is on', () => {
    const program = `
      import { createRequire } from 'node:module';
      await import('#src/index.js');
      const { commandNames } = await import('#src/cli/commands.js');
      await import('#src/commands/start.js');
      await import('#src/commands/peers.js');
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(commandNames.length > 0, loaded.filter((file) => /bonjour|multicast-dns/.test(file)).length);`;
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const args = ['--input-type=module', '--eval', program];
    expect(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }).trim()).to.equal('true 0');
  });

  it('says that it does not work where the port is taken, and replication goes on without', async () => {
    const taken = createSocket({ type: 'udp4', reuseAddr: false });
    sockets.push(taken);
    taken.bind(0, '0.0.0.0');
    await once(taken, 'listening');
    const log = new LogRecorder();
    const discovery = await startDiscovery({
      own: null,
      interfaceAddress: LOOPBACK,
      port: taken.address().port,
      logger: log.logger,
      isWanted: () => false,
      onFound: () => undefined,
    });
    expect(discovery).to.equal(null);
    expect(log.of('discovery does not work: no socket for mDNS', 'warn')).to.have.length(1);
  });
});

function nodeId(): string {
  return `test-${randomBytes(4).toString('hex')}`;
}
