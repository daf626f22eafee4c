import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import type { StatusReport } from '#src/replica/status.js';
import { runMain } from '../cli/captured.js';
import { startCli } from '../replication/command-line.js';
import { queryRow } from '../replication/content.js';
import type { Program } from '../replication/program.js';
import { freePort } from '../pull/peer-server.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';

describe('a daemon with backups', () => {
  let source: DatabaseFile;
  let port: number;
  let daemon: Program | null = null;

  beforeEach(async () => {
    port = await freePort();
    source = await createDatabaseFile('desktop', { port, database: { low_disk: '1MB' } });
    addWords(source.app, 'a', 'b');
  });
  afterEach(async () => {
    await daemon?.end('SIGKILL');
    daemon = null;
    source.app.close();
  });

  async function start(backup: object): Promise<Program> {
    const content = parse(readFileSync(source.file, 'utf8')) as object;
    writeFileSync(source.file, stringify({ ...content, backup }));
    daemon = startCli(['start', '--config', source.file]);
    await daemon.line((line) => line.includes('listening'), 'line that it listens', 30_000);
    return daemon;
  }

  async function status(): Promise<StatusReport> {
    return JSON.parse((await runMain(['status', '--json', '--config', source.file])).stdout) as StatusReport;
  }

  it('makes them by its schedule, keeps as many as it should, and shows the newest in status', async () => {
    const program = await start({ schedule: '* * * * * *', dir: './kept', keep: 2 });
    for (let count = 1; count <= 3; count += 1) {
      await program.line((line) => line.includes('backup made'), 'backup', 30_000, program.lines.length);
    }
    const { backup } = await status();
    expect(backup).to.deep.include({ kept: 2, last_error: null, schedule: '* * * * * *' });
    const text = (await runMain(['status', '--config', source.file])).stdout;
    expect(text).to.match(/backup.+ago, /);
    await program.end('SIGTERM');
    const [oldest = ''] = readdirSync(backup.dir).sort();
    expect(queryRow(join(backup.dir, oldest), 'SELECT count(*) FROM words')).to.deep.equal([2]);
    expect((await status()).backup.last?.at_ms).to.be.at.least(backup.last?.at_ms ?? Infinity);
  });

  it('makes one where it is asked to', async () => {
    await start({ dir: './kept' });
    const answer = await fetch(`http://127.0.0.1:${port}/sync/backup`, { method: 'POST' });
    expect(answer.status).to.equal(200);
    const made = (await answer.json()) as { file: string; bytes: number };
    expect(made).to.deep.include({ status: 'made' });
    expect(made.file).to.match(/^app\.desktop\.\d{8}T\d{6}-\d{3}Z-asked\.db$/);
    expect((await status()).backup.last?.bytes).to.equal(made.bytes);
  });

  it('says why it could not make one, and goes on', async () => {
    writeFileSync(join(source.file, '..', 'kept'), 'a file where the folder should be');
    await start({ dir: './kept' });
    const answer = await fetch(`http://127.0.0.1:${port}/sync/backup`, { method: 'POST' });
    expect(answer.status).to.equal(503);
    expect(await answer.json()).to.have.nested.property('error.code', 'backup_failed');
    expect((await status()).backup.last_error?.code).to.equal('backup_failed');
    const text = (await runMain(['status', '--config', source.file])).stdout;
    expect(text).to.include('The last backup failed');
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).to.equal(200);
  });
});
