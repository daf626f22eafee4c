import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { commandNames } from '#src/cli/commands.js';
import { examplesOf } from '#src/cli/examples.js';
import type { Conflict, ConflictList } from '#src/apply/conflict-list.js';
import type { HeldList } from '#src/apply/held-list.js';
import { columnsOf } from '#src/commands/columns.js';
import { conflictListText, conflictText } from '#src/commands/conflicts-text.js';
import { doctorText, type DoctorReport } from '#src/commands/doctor-text.js';
import { narrowTable } from '#src/commands/narrow-table.js';
import { heldListText } from '#src/commands/quarantine-text.js';
import { statusText } from '#src/commands/status-text.js';
import type { StatusReport } from '#src/replica/status.js';
import { commandLine } from '../replication/command-line.js';
import { Program } from '../replication/program.js';
import { createDatabaseFile } from '../stand-ins/database-file.js';
import { runMain } from './captured.js';

const NOW_MS = 1_704_326_400_000;
const ESCAPE = '\u001b[';

function report(): StatusReport {
  const last_error = {
    code: 'peer_unreachable',
    message:
      "laptop-of-the-second-floor (http://192.168.100.200:8091) can't be reached: nothing listens there",
    hint: null,
    at_ms: NOW_MS - 5_000,
  };
  const pull = {
    ...{ phase: 'waiting', lost: true, failing: true, breaker: 'half_open' },
    ...{ last_attempt_ms: NOW_MS, last_success_ms: NOW_MS - 3_600_000, last_error, skew_ms: -123_456 },
  };
  const peer = {
    ...{ name: 'laptop-of-the-second-floor', address: 'http://192.168.100.200:8091', cursor: '' },
    ...{ behind: 1_234_567, last_applied_ms: null, acknowledged: 1_234_567, acknowledged_ms: null, pull },
  };
  return {
    ...{ node: 'desktop', name: 'A desktop with a very long name of its own, in the hall', running: true },
    ...{
      listen: '127.0.0.1:8091',
      time_ms: NOW_MS,
      head: 7_654_321,
      unfolded: 3,
      quarantined: 2,
      conflicts: 1,
    },
    ...{
      tables: Array.from({ length: 12 }, (_, at) => `a_table_${at}`),
      database_bytes: 1e9,
      wal_bytes: 1e6,
    },
    ...{
      backfill_needed: [],
      dangling_references: [],
      members: [],
      found: [],
      disk_low: false,
      disk_free_bytes: 1e9,
    },
    backup: {
      ...{ schedule: '0 30 1 * * *', dir: '/backups', kept: 3, running: true },
      last: { file: 'words.desktop.db', at_ms: NOW_MS - 3_600_000, bytes: 1e9 },
      last_error: { code: 'disk_full', message: 'The backup had no room', hint: null, at_ms: NOW_MS },
    },
    ...{ ntp: { state: 'synchronised', detail: 'chronyd' }, peers: [peer] },
  } as unknown as StatusReport;
}

describe('What the terminal shows', function () {
  this.timeout(60_000);

  it('of a status are tables of 80 columns at most, whatever stands in them', () => {
    const tables = statusText(report())
      .split('\n')
      .filter((line) => /^[│┌├└]/.test(line));
    expect(tables).to.have.length.above(10);
    expect(tables.filter((line) => line.length > 80)).to.deep.equal([]);
    const words = tables.join('\n').match(/[a-z]+/g);
    expect(words).to.include.members(['state', 'behind', 'success', 'ours', 'skew', 'breaker']);
  });

  it('tells of an error that is over by now as such', () => {
    const failing = report();
    expect(statusText(failing)).to.contain('5s ago: laptop').and.not.to.contain('over since');
    const peers = failing.peers.map((peer) => ({
      ...peer,
      pull: peer.pull && { ...peer.pull, last_success_ms: NOW_MS - 1_000 },
    }));
    expect(statusText({ ...failing, peers })).to.contain('5s ago, over since: laptop');
  });

  it('is as wide where the letters are, and none of them is lost or cut in two', () => {
    const [wide, family] = ['漢字かな交じり文'.repeat(9), '👨‍👩‍👧🇩🇪e\u0301'.repeat(9)];
    const given = { ...report(), name: wide, tables: [family] };
    const held = { ...{ id: 1, table: wide, key: [family], peer: 'bob' }, reason: wide, since_ms: 0 };
    const side = { ...{ won: true, key: [family], stamp: 1, origin: 'bob@x' }, record: { [wide]: family } };
    const decided = { decided_by: 'version', kind: 'row' };
    const conflict = { ...decided, id: 1, table: wide, key: [family], local: side, remote: side };
    const finding = { check: 'triggers', level: 'error', message: wide, fix: family };
    const texts = [
      statusText(given),
      heldListText({ quarantine: [{ ...held, change: {} }], total: 1 } as unknown as HeldList, NOW_MS),
      conflictListText({ conflicts: [conflict], total: 1 } as unknown as ConflictList, NOW_MS),
      conflictText({ ...conflict, found_ms: 0, settled_ms: 0, copy_of: null } as unknown as Conflict),
      doctorText({ findings: [finding], left_out: [] } as unknown as DoctorReport, false),
    ];
    for (const text of texts) {
      const lines = text.split('\n').filter((line) => !line.startsWith('laptop-of-the-second-floor'));
      for (const line of lines.filter((line) => /[│漢👨]/u.test(line)))
        expect(columnsOf(line), line).to.be.at.most(80);
      const count = (what: RegExp) => text.match(what)?.length ?? 0;
      expect(text).to.not.include('…');
      expect([count(/漢/gu) % 9, count(/文/gu) % 9, count(/👨‍👩‍👧/gu) % 9, count(/🇩🇪/gu) % 9]).to.deep.equal([
        0, 0, 0, 0,
      ]);
    }
  });

  it('cuts a value of megabytes, and says where it is in full', () => {
    const rows = [['a', 'x'.repeat(3_000_000)]];
    const text = narrowTable({ widths: [5, 60], rows });
    expect(text.length).to.be.below(20_000);
    expect(text.replace(/[^a-z0-9-]/g, '')).to.include('3000000charactersinfullwith--json');
  });

  it('has colours where they are asked for, and the same text without', () => {
    const coloured = statusText(report(), true);
    expect(coloured).to.contain(ESCAPE);
    expect(statusText(report(), false)).to.not.contain(ESCAPE);
  });

  it('has none where the output is no terminal, and tells the status again and again until it is ended', async () => {
    const { file, app } = await createDatabaseFile('ann');
    app.close();
    const watching = new Program(commandLine(['status', '--watch', '--config', file]));
    const isReport = (line: string) => line.includes('│ replica');
    await watching.line(isReport, 'a report', 30_000);
    await watching.line(isReport, 'another report', 30_000, watching.lines.findIndex(isReport) + 1);
    const { code } = await watching.end('SIGTERM');
    expect(code, watching.transcript).to.equal(0);
    expect(watching.lines.join('\n')).to.not.contain(ESCAPE);
  });

  it('of a status that is watched is no JSON', async () => {
    const { file, app } = await createDatabaseFile('ann');
    app.close();
    const { status, stderr } = await runMain(['status', '--watch', '--json', '--config', file]);
    expect(status).to.equal(2);
    expect(stderr).to.contain('--watch');
  });

  it('suggests the action that was meant', async () => {
    expect((await runMain(['conflicts', 'lst'])).stderr).to.contain('Did you mean list?');
    expect((await runMain(['peers', 'froget', 'x'])).stderr).to.contain('Did you mean forget?');
  });
});

describe('The help of a command', () => {
  for (const name of commandNames) {
    it(`${name}: has examples of it, with options that it has`, async () => {
      const { stdout } = await runMain([name, '--help']);
      const examples = examplesOf(name);
      expect(examples).to.not.be.empty;
      for (const { line, what } of examples) {
        expect(line.split(' ')[0]).to.equal(name);
        expect(stdout).to.contain(`$ sqlite-p2p-sync ${line}`).and.to.contain(what);
        const [usage = ''] = stdout.split('Examples:');
        for (const option of line.match(/--[a-z-]+/g) ?? []) expect(usage).to.contain(option);
      }
      expect(stdout).to.contain('Exit codes:');
    });
  }
});

describe('Shell completion', () => {
  const scriptFor = async (shell: string) => (await runMain(['completion', shell])).stdout;

  it('names every command and its options in each shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = await scriptFor(shell);
      for (const name of commandNames) expect(script, shell).to.contain(name);
      expect(script, shell).to.match(shell === 'fish' ? /-l guard-triggers/ : /--guard-triggers/);
    }
  });

  it('completes in bash', async () => {
    const ask = async (words: readonly string[]) => {
      const typed = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`;
      const script = `${await scriptFor('bash')}\n${typed}\n_sqlite_p2p_sync\necho "\${COMPREPLY[*]}"`;
      const run = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
      expect(run.stderr).to.equal('');
      return run.stdout.trim().split(' ');
    };
    expect(await ask(['sqlite-p2p-sync', 'sta'])).to.deep.equal(['start', 'status']);
    expect(await ask(['sqlite-p2p-sync', 'status', '--w'])).to.deep.equal(['--watch']);
    expect(await ask(['sqlite-p2p-sync', 'conflicts', 'resolve', '--k'])).to.deep.equal(['--keep']);
  });

  it('refuses a shell that it does not know', async () => {
    const { status, stderr } = await runMain(['completion', 'csh']);
    expect(status).to.equal(2);
    expect(stderr).to.contain('bash, zsh, fish');
  });
});
