import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { expectSameContent, queryRow } from '../replication/content.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { blocksOf, documentAt, PROJECT } from './documents.js';

withPrograms(['sqlite3'], () => {
  describe('The README', function () {
    this.timeout(90_000);
    let folder: string;

    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'readme-'));
    });
    after(() => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });

    it('starts two replicas in five minutes, and they end equal', async () => {
      const { code, output } = await runScript(await withFreePorts(scriptOf('README.md')), folder);
      expect(code, output).to.equal(0);

      const files = ['ann', 'bob'].map((node) => join(folder, node, 'words.db'));
      const counts = expectSameContent(files, { words: ['id'], scores: ['user_id', 'word_id'] });
      expect(counts, output).to.deep.equal({ words: 3, scores: 2 });
      const [ann = ''] = files;
      expect(queryRow(ann, "SELECT english FROM words WHERE id = 'w2'")).to.deep.equal(['binary search']);
      // the order of its steps leaves no conflict to a reader's surprise
      expect(queryRow(ann, 'SELECT count(*) FROM _sync_conflicts')).to.deep.equal([0]);
    });
  });
});

/** The blocks that are marked to be run, one after the other. */
function scriptOf(path: string): string {
  const blocks = blocksOf(documentAt(path)).filter(({ info }) => info === 'sh run');
  return blocks.map(({ text }) => text).join('\n');
}

/** The ports of the text may be taken on this machine. */
async function withFreePorts(script: string): Promise<string> {
  const servers = ['8091', '8092'].map((named) => ({ named, server: createServer().listen(0, '127.0.0.1') }));
  await Promise.all(servers.map(({ server }) => once(server, 'listening')));
  let result = script;
  for (const { named, server } of servers) {
    result = result.replaceAll(`:${named}`, `:${(server.address() as AddressInfo).port}`);
  }
  await Promise.all(servers.map(({ server }) => once(server.close(), 'close')));
  return result;
}

/** Runs a script in an empty folder, with `sqlite-p2p-sync` on its path; whatever it leaves running is ended. */
async function runScript(script: string, cwd: string): Promise<{ code: number | null; output: string }> {
  const bin = join(cwd, '.bin');
  mkdirSync(bin);
  symlinkSync(join(PROJECT, 'bin', 'sqlite-p2p-sync.js'), join(bin, 'sqlite-p2p-sync'));
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    // a process group of its own, with its daemons in it
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, SYNC_API_KEY: '' },
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  try {
    const [code] = (await once(shell, 'exit')) as [number | null];
    return { code, output };
  } finally {
    endGroup(shell.pid);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // all of it has ended by itself
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
