import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import { markFileOf } from '#src/changelog/mark-file.js';
import { add, backUp, removeLogs } from './backups.js';
import { runCliWell } from './command-line.js';
import { countOf, execute, queryRow } from './content.js';
import { Replica, ReplicaGroup, freePorts, until } from './group.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT)';
const TABLES = [{ name: 'words' }];

describe('a database file that is not what its replica left', function () {
  this.timeout(60_000);
  let group: ReplicaGroup;
  let desktop: Replica;
  let laptop: Replica;

  beforeEach(async () => {
    group = await ReplicaGroup.create({
      tables: TABLES,
      peers: { desktop: ['laptop'], laptop: ['desktop'] },
    });
    desktop = group.replica('desktop');
    laptop = group.replica('laptop');
    for (const replica of group.replicas) {
      replica.create(SCHEMA);
      await replica.join();
      await replica.start();
    }
    add(laptop, 'early', 5);
    add(desktop, 'theirs', 5);
    await group.settle();
  });

  afterEach(() => group.remove());

  const restores: Readonly<Record<string, (backup: string) => void>> = {
    'copied over the file': (backup) => {
      copyFileSync(backup, laptop.database);
    },
    'put in its place': (backup) => {
      renameSync(backup, laptop.database);
    },
    'restored together with the mark file, as a snapshot of the whole disk is': (backup) => {
      copyFileSync(backup, laptop.database);
      copyFileSync(`${backup}-mark`, markFileOf(laptop.database));
    },
  };

  for (const [how, restore] of Object.entries(restores)) {
    it(`gets back what the others have, and loses nothing that is written afterwards: a backup ${how}`, async () => {
      const backup = backUp(laptop);
      add(laptop, 'pulled', 5);
      execute(laptop.database, "DELETE FROM words WHERE id = 'early-0'");
      execute(laptop.database, "UPDATE words SET english = 'edited' WHERE id = 'early-1'");
      await desktop.pull('laptop');
      add(laptop, 'unpulled', 5);

      await laptop.stop();
      removeLogs(laptop);
      restore(backup);
      // As many as before, so that the log is as long as it was.
      add(laptop, 'afterwards', 12);
      execute(laptop.database, "UPDATE words SET english = 'written after the restore' WHERE id = 'early-2'");
      await laptop.start();
      // Also a peer that asks with the cursor that it had must not be taken to have all.
      await group.settle();

      for (const { database } of group.replicas) {
        expect(countOf(database, 'words', "id LIKE 'pulled-%'"), database).to.equal(5);
        expect(countOf(database, 'words', "id LIKE 'afterwards-%'")).to.equal(12);
        expect(countOf(database, 'words', "id LIKE 'unpulled-%'")).to.equal(0);
        expect(countOf(database, 'words', "id = 'early-0'")).to.equal(0);
        expect(english(database, 'early-1')).to.equal('edited');
        expect(english(database, 'early-2')).to.equal('written after the restore');
      }
      // What was noticed late may be listed although it was known; nothing else is.
      expect(overruled().filter((key) => key !== '["early-2"]')).to.deep.equal([]);
      await group.expectQuiet();
    });
  }

  it('goes on as a new instance when a backup is restored into the file that the daemon has open', async () => {
    const backup = backUp(laptop);
    add(laptop, 'pulled', 5);
    await desktop.pull('laptop');
    const before = (await laptop.status()).epoch;
    restoreInto(laptop, backup);
    add(laptop, 'afterwards', 8);
    await until(async () => (await laptop.status()).epoch !== before, 'a new epoch');
    await group.settle();
    for (const { database } of group.replicas) {
      expect(countOf(database, 'words')).to.equal(5 + 5 + 5 + 8);
    }
  });

  it('goes on as a new instance when that backup is from before the replica last became one', async () => {
    const backup = backUp(laptop);
    const first = (await laptop.status()).epoch;
    execute(laptop.database, "UPDATE words SET english = 'edited' WHERE id = 'early-1'");
    add(laptop, 'pulled', 5);
    await group.settle();
    // As a file that was moved.
    await laptop.stop();
    rmSync(markFileOf(laptop.database));
    await laptop.start();
    await group.settle();
    // What it remembers of the instances that asked would refuse both for ten minutes.
    await desktop.stop();
    await desktop.start();
    const before = [first, (await laptop.status()).epoch];
    restoreInto(laptop, backup);
    execute(laptop.database, "UPDATE words SET english = 'written after the restore' WHERE id = 'early-1'");
    await until(async () => !before.includes((await laptop.status()).epoch), 'a new epoch');
    await group.settle();
    for (const { database } of group.replicas) {
      expect(countOf(database, 'words')).to.equal(5 + 5 + 5);
      expect(english(database, 'early-1')).to.equal('written after the restore');
    }
    expect(overruled()).to.include('["early-1"]');
  });

  it('is another replica when it is a copy with a node id of its own', async () => {
    add(laptop, 'unfolded', 3);
    const copy = await copyOf(laptop, 'tablet');
    try {
      await copy.start();
      add(copy, 'tablet', 4);
      await copy.pull('desktop');
      await addPeer('tablet', copy);
      await group.settle();
      await copy.pull('desktop');
      for (const { database } of [desktop, laptop, copy]) {
        expect(countOf(database, 'words'), database).to.equal(5 + 5 + 3 + 4);
      }
      expect(overruled()).to.deep.equal([]);
    } finally {
      await copy.end();
    }
  });

  it('is refused by the peers, with what to do, when it is a copy with the same node id', async () => {
    const copy = await copyOf(laptop, 'laptop');
    try {
      await copy.start();
      await copy.pull('desktop');
      expect(await failedPull(laptop)).to.match(/two databases call themselves "laptop"/);
      expect(await failedPull(copy)).to.match(/two databases call themselves "laptop"/);
      expect(desktop.log.filter(({ level }) => level === 'error')).to.have.length(1);

      expect(await runCliWell(['status', '--json', '--config', laptop.configFile])).to.contain('two_owners');
      add(copy, 'copy', 2);
      add(laptop, 'original', 2);
      await copy.stop();
      // What the message asks for: a node id of its own.
      configure(copy, (config) => ({ ...config, node: { ...config.node, id: 'tablet' } }));
      await copy.start();
      await addPeer('tablet', copy);
      await copy.pull('desktop');
      await group.settle();
      expect(countOf(desktop.database, 'words', "id LIKE 'copy-%' OR id LIKE 'original-%'")).to.equal(4);
    } finally {
      await copy.end();
    }
  });

  it('starts from nothing and gets everything when it was deleted and made anew under the same id', async () => {
    await laptop.stop();
    removeLogs(laptop);
    rmSync(laptop.database);
    laptop.create(SCHEMA);
    add(laptop, 'fresh', 3);
    await laptop.join();
    await laptop.start();
    await group.settle();
    for (const { database } of group.replicas) expect(countOf(database, 'words')).to.equal(5 + 5 + 3);
    expect(overruled()).to.deep.equal([]);
    await group.expectQuiet();
  });

  it('says that it goes on as a new instance, and not without need', async () => {
    await laptop.stop();
    await laptop.start();
    expect(renewals(laptop)).to.deep.equal([]);
    await laptop.kill();
    await laptop.start();
    expect(renewals(laptop)).to.deep.equal([]);
    await laptop.stop();
    rmSync(markFileOf(laptop.database));
    await laptop.start();
    expect(renewals(laptop)).to.have.length(1);
  });

  /** Another machine with a copy of the file, and everything beside it. */
  async function copyOf(original: Replica, node: string): Promise<Replica> {
    const [port = 0] = await freePorts(1);
    const folder = join(dirname(dirname(original.database)), `copy-${node}`);
    mkdirSync(folder);
    execute(original.database, `VACUUM INTO '${join(folder, 'app.db')}'`);
    copyFileSync(markFileOf(original.database), join(folder, 'app.db-sync-mark'));
    const config = parse(readFileSync(original.configFile, 'utf8')) as ConfigFile;
    return new Replica(node, folder, port, ['desktop'], {
      ...config,
      node: { id: node, listen: `127.0.0.1:${port}` },
    });
  }

  /** Desktop pulls from that one too, from now on. */
  async function addPeer(name: string, { address }: Replica): Promise<void> {
    configure(desktop, (config) => ({ ...config, peers: [...config.peers, { name, address }] }));
    await desktop.stop();
    await desktop.start();
    await desktop.pull(name);
  }

  function overruled(): unknown[] {
    return group.files.flatMap((file) => queryRow(file, 'SELECT record_key FROM _sync_conflicts'));
  }
});

function english(file: string, id: string): unknown {
  return queryRow(file, `SELECT english FROM words WHERE id = '${id}'`)[0];
}

/** As `.restore` of the shell does: page by page into the file, under the eyes of those who have it open. */
function restoreInto({ database }: Replica, backup: string): void {
  execFileSync('sqlite3', [database, `.timeout 10000`, `.restore ${backup}`]);
}

/** What the puller says of a pull that is refused. */
async function failedPull(replica: Replica): Promise<string> {
  const from = replica.daemon.lines.length;
  await replica.fetch('/sync/trigger', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ peer: 'desktop' }),
  });
  return String((await replica.logged('pull failed', () => true, from)).error);
}

function renewals(replica: Replica): string[] {
  return replica.log.map(({ message }) => message).filter((message) => message.includes('new instance'));
}

interface ConfigFile {
  readonly node: object;
  readonly peers: readonly object[];
}

function configure({ configFile }: Replica, change: (config: ConfigFile) => ConfigFile): void {
  const config = parse(readFileSync(configFile, 'utf8')) as ConfigFile;
  writeFileSync(configFile, stringify(change(config)));
}
