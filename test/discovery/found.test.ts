import { expect } from 'chai';
import { createFoundTable } from '#src/discovery/found.js';

function replica(node: string, instance = node, port = 8091) {
  return { node, instance, addresses: [`http://192.168.1.20:${port}`], protocol: 1 };
}

function table(wanted: readonly string[] = []) {
  const clock = { nowMs: 1000 };
  const found = createFoundTable({
    isWanted: (node) => wanted.includes(node),
    now: () => clock.nowMs,
    lifeMs: 100,
  });
  return { found, clock };
}

describe('the table of found replicas', () => {
  it('says what is news: another replica, or another address', () => {
    const { found } = table();
    expect(found.put(replica('a'))).to.equal(true);
    expect(found.put(replica('a'))).to.equal(false);
    expect(found.put(replica('a', 'a', 9000))).to.equal(true);
    expect(found.all()).to.have.length(1);
    expect(found.addressesOf('a')).to.deep.equal(['http://192.168.1.20:9000']);
  });

  it('forgets what said goodbye, and what was not heard of for long', () => {
    const { found, clock } = table();
    found.put(replica('a'));
    found.put(replica('b'));
    found.remove('A');
    expect(found.all().map(({ node }) => node)).to.deep.equal(['b']);
    clock.nowMs += 101;
    expect(found.all()).to.deep.equal([]);
  });

  it('holds 64 strangers at most, and still finds a configured peer', () => {
    const { found } = table(['mine']);
    for (let index = 0; index < 5000; index += 1) found.put(replica(`stranger${index}`));
    expect(found.all()).to.have.length(64);
    expect(found.put(replica('mine'))).to.equal(true);
    expect(found.addressesOf('mine')).to.have.length(1);
  });

  it('holds four announcements of one node id at most, the newest first', () => {
    const { found } = table(['mine']);
    for (let index = 1; index <= 1000; index += 1) found.put(replica('mine', `i${index}`, index));
    expect(found.addressesOf('mine')).to.deep.equal(
      [1000, 999, 998, 997].map((port) => `http://192.168.1.20:${port}`),
    );
  });
});
