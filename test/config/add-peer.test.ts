import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { addPeer, withPeer } from '#src/config/add-peer.js';
import { loadConfig } from '#src/config/load.js';
import { scratchFolder } from '../scratch.js';
import { thrownBy } from '../thrown.js';

const EXAMPLE = new URL('../../docs/config.example.yaml', import.meta.url);

describe('a peer that is entered in the configuration', () => {
  it('takes one line, and every other line of the file stays as it is', () => {
    const before = readFileSync(EXAMPLE, 'utf8').split('\n');
    const after = withPeer(before.join('\n'), 'laptop').split('\n');
    expect(after).to.have.length(before.length + 1);
    const at = after.indexOf('  - name: laptop');
    expect(after.toSpliced(at, 1)).to.deep.equal(before);
    expect(after[at - 1]).to.contain('direction: pull');
  });

  const SHAPES: Readonly<Record<string, string>> = {
    'an empty list': 'peers: []\n\n# next\nsync:\n  page_size: 5\n',
    'an empty list with a comment': 'peers: [] # none yet\nsync:\n  page_size: 5\n',
    'a key with nothing': 'peers:\n\n# next\nsync:\n  page_size: 5\n',
    'a key with nothing but a comment': 'peers: # none yet\nsync:\n  page_size: 5\n',
    'no list': '# next\nsync:\n  page_size: 5\n',
    'a list in one line': 'peers: [{ name: a, address: "h:1" }] # these\nsync:\n  page_size: 5\n',
    'a list without indent': 'peers:\n- name: a # first\n  address: h:1 # there\n\nsync:\n  page_size: 5\n',
    'a list at the end': 'sync:\n  page_size: 5\npeers:\n    - name: a\n      address: h:1',
    'a list with an entry left out': 'sync:\n  page_size: 5\npeers:\n  - name: a\n  # - name: old\n',
  };
  for (const [shape, text] of Object.entries(SHAPES)) {
    it(`joins ${shape}, and comments stay`, () => {
      const after = withPeer(text, 'true');
      const names = ((parse(after) as { peers: { name: string }[] }).peers ?? []).map(({ name }) => name);
      expect(names).to.deep.equal(text.includes('name: a') ? ['a', 'true'] : ['true']);
      expect(parse(after)).to.have.nested.property('sync.page_size', 5);
      for (const [comment] of text.matchAll(/#.*/g)) expect(after).to.contain(comment);
    });
  }

  it('stands in the file afterwards, whose rights and links stay', () => {
    const file = join(scratchFolder(), 'sync-config.yaml');
    writeFileSync(file, 'node: { id: a }\ndatabase: { path: ./a.db }\nnetwork: { discovery: true }\n');
    chmodSync(file, 0o640);
    const link = join(dirname(file), 'link.yaml');
    symlinkSync(file, link);
    addPeer(link, 'laptop');
    expect(loadConfig(file, {}).peers).to.deep.equal([{ name: 'laptop', address: null, direction: 'pull' }]);
    expect(statSync(file).mode & 0o777).to.equal(0o640);
    expect(readdirSync(dirname(file)).sort()).to.deep.equal(['link.yaml', 'sync-config.yaml']);
  });

  it('leaves the file alone where it would not be sound afterwards', () => {
    const file = join(scratchFolder(), 'sync-config.yaml');
    const text = 'node: { id: laptop }\ndatabase: { path: ./a.db }\n';
    writeFileSync(file, text);
    expect(thrownBy(() => addPeer(file, 'laptop'))).to.have.property('code', 'config_unwritable');
    expect(readFileSync(file, 'utf8')).to.equal(text);
    expect(readdirSync(dirname(file))).to.deep.equal(['sync-config.yaml']);
  });
});
