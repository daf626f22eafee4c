import { BlockList } from 'node:net';
import { expect } from 'chai';
import { announcement, instanceName, readAnnouncement, type RawService } from '#src/discovery/service.js';

const network = new BlockList();
network.addSubnet('192.168.1.0', 24, 'ipv4');
network.addSubnet('127.0.0.0', 8, 'ipv4');

const HONEST: RawService = {
  fqdn: 'macbook-7d0c1234._sqlite-p2p-sync._tcp.local',
  port: 8091,
  txt: { node: 'macbook', protocol: '1', scheme: 'http' },
  addresses: ['192.168.1.20'],
  referer: { address: '192.168.1.20' },
};

const read = (changes: Partial<RawService>) => readAnnouncement({ ...HONEST, ...changes }, network);

describe('an announcement', () => {
  it('is read as its node id and the addresses where it may be', () => {
    expect(read({})).to.deep.equal({
      node: 'macbook',
      instance: 'macbook-7d0c1234._sqlite-p2p-sync._tcp.local',
      addresses: ['http://192.168.1.20:8091'],
      protocol: 1,
    });
  });

  it('tells the node id, the protocol and the scheme, and nothing else', () => {
    expect(announcement('macbook', 'https')).to.deep.equal({
      node: 'macbook',
      protocol: '1',
      scheme: 'https',
    });
  });

  it('has a name that fits a DNS label, however long the node id is', () => {
    const name = instanceName('a.b_c'.repeat(12), '7d0c123456789abc');
    expect(name).to.match(/^[a-c-]{40}-7d0c1234$/);
  });

  it('counts from this network only, and leads to this network only', () => {
    expect(read({ referer: { address: '8.8.8.8' } })).to.equal(null);
    expect(read({ referer: undefined })).to.equal(null);
    expect(read({ addresses: ['8.8.8.8', '192.168.1.21', 'fe80::1', 'localhost'] })?.addresses).to.deep.equal(
      ['http://192.168.1.20:8091', 'http://192.168.1.21:8091'],
    );
  });

  it('from another machine never leads to a service of this one', () => {
    expect(read({ addresses: ['127.0.0.1'] })?.addresses).to.deep.equal(['http://192.168.1.20:8091']);
    expect(read({ addresses: [], referer: { address: '127.0.0.1' } })?.addresses).to.deep.equal([
      'http://127.0.0.1:8091',
    ]);
  });

  it('names four addresses at most', () => {
    const many = Array.from({ length: 100 }, (_, index) => `192.168.1.${index}`);
    expect(read({ addresses: many })?.addresses).to.have.length(4);
  });

  const MALFORMED: Readonly<Record<string, Partial<RawService>>> = {
    'a huge name': { fqdn: 'x'.repeat(5000) },
    'no name': { fqdn: undefined },
    'a name that is none': { fqdn: { toString: () => 'x' } },
    'port 0': { port: 0 },
    'a port beyond all': { port: 70_000 },
    'a port in words': { port: '8091' },
    'no TXT': { txt: undefined },
    'a TXT of null': { txt: null },
    'a TXT without values': { txt: { node: undefined } },
    'a huge node id': { txt: { node: 'n'.repeat(10_000), protocol: '1', scheme: 'http' } },
    'control characters in the node id': { txt: { node: 'a\u001b[2Jb\n', protocol: '1', scheme: 'http' } },
    'a node id from the prototype': { txt: Object.create({ node: 'macbook' }) as object },
    'a node id that is a path': { txt: { node: '../../x', protocol: '1', scheme: 'http' } },
    'a protocol in words': { txt: { node: 'macbook', protocol: 'one', scheme: 'http' } },
    'another scheme': { txt: { node: 'macbook', protocol: '1', scheme: 'file' } },
  };
  for (const [what, changes] of Object.entries(MALFORMED)) {
    it(`with ${what} is left out`, () => {
      expect(read(changes)).to.equal(null);
    });
  }
});
