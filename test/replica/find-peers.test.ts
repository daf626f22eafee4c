import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { announceAndFind } from '#src/replica/find-peers.js';
import { lookAround } from '#src/discovery/look-around.js';
import { testConfig } from '../stand-ins/config.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';

const LOOPBACK = '127.0.0.1';

function open(host: string, network: Parameters<typeof testConfig>[0] = {}) {
  const node = `test-${randomBytes(4).toString('hex')}`;
  const log = new LogRecorder();
  const discovery = announceAndFind({
    config: testConfig({ node, ...network }),
    logger: log.logger,
    epoch: randomBytes(8).toString('hex'),
    listening: { host, port: 8091 },
    peers: () => [],
    onFound: () => undefined,
  });
  return { node, log, discovery };
}

describe('a replica in its local network', () => {
  it('opens nothing where discovery is off', async () => {
    const { discovery, log } = open('0.0.0.0');
    expect(await discovery).to.equal(null);
    expect(log.lines).to.deep.equal([]);
  });

  it('is not announced to others where only this machine could reach it, and says so', async () => {
    const { node, log, discovery } = open(LOOPBACK, { network: { discovery: true } });
    const opened = await discovery;
    const { logger } = new LogRecorder();
    const heard = await lookAround({ interfaceAddress: null, logger, wanted: [node] });
    await opened?.stop();
    expect(heard.filter((each) => each.node === node)).to.deep.equal([]);
    const warning = 'not announced: only this machine can reach the address that the feed listens on';
    expect(log.of(warning, 'warn')).to.have.length(1);
  });
});
