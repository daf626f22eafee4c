import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import type { StatusReport } from '#src/replica/status.js';
import { readNtp, type Ntp, type NtpState } from '#src/clock/ntp.js';
import { watchNtp } from '#src/replica/ntp.js';
import { systemClock, timedatectl } from '../clock/ntp-stand-in.js';
import { reconfigure } from '../doctor/diagnosis.js';
import type { DoctorReport } from '#src/commands/doctor-text.js';
import { freePort } from '../pull/peer-server.js';
import { runCli, startCli } from '../replication/command-line.js';
import { createDatabaseFile } from '../stand-ins/database-file.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';

describe('clock.require_ntp', function () {
  this.timeout(60_000);

  describe('at start', () => {
    let log: LogRecorder;
    let stop: AbortController;
    beforeEach(() => {
      log = new LogRecorder();
      stop = new AbortController();
    });
    afterEach(() => {
      stop.abort();
    });

    const answering = (state: NtpState) => (): Promise<Ntp> => Promise.resolve({ state, detail: 'as told' });
    const watch = (requireNtp: 'warn' | 'fail' | 'off', look: () => Promise<Ntp>) =>
      watchNtp({ requireNtp, look, logger: log.logger, signal: stop.signal });

    it('off: nobody asks', async () => {
      const { ntp } = await watch('off', () => expect.fail('it was asked'));
      expect(ntp).to.equal(null);
    });

    it('warn: a clock that is not synchronised is a line of the log, with what to do', async () => {
      const watched = await watch('warn', answering('not_synchronised'));
      const line = await log.until('the clock is not synchronised');
      expect(line).to.include({ level: 'warn', detail: 'as told' });
      expect(line.hint).to.include('timedatectl set-ntp true');
      expect(watched.ntp?.state).to.equal('not_synchronised');
    });

    it('warn: what can not be told is no warning', async () => {
      await watch('warn', answering('unknown'));
      await log.until('whether NTP sets the clock is unknown', 1, 'info');
    });

    it('warn: nothing waits for a program that hangs', async () => {
      const watched = await watch('warn', () => new Promise<Ntp>(() => undefined));
      expect(watched.ntp).to.equal(null);
    });

    it('fail: only a clock that is synchronised will do', async () => {
      expect((await watch('fail', answering('synchronised'))).ntp?.state).to.equal('synchronised');
      for (const state of ['not_synchronised', 'unknown'] as const) {
        const error: unknown = await watch('fail', answering(state)).catch((fault: unknown) => fault);
        if (!(error instanceof SyncError)) return expect.fail('it went on');
        expect(error.code).to.equal('clock_not_synchronised');
        expect(error.message).to.include('as told').and.include('clock.require_ntp is fail');
        expect(error.hint).to.include('set-ntp true').and.include('clock.require_ntp: warn');
      }
    });

    it('asks a program that was found on the PATH', async () => {
      const path = timedatectl('no');
      await watch('warn', () => readNtp({ platform: 'linux', path }));
      await log.until('the clock is not synchronised');
    });
  });

  describe('on the command line', () => {
    async function configured(requireNtp: string): Promise<string> {
      const { file, app } = await createDatabaseFile('ann');
      app.close();
      reconfigure(file, { clock: { require_ntp: requireNtp } });
      return file;
    }
    const withPath = (folder: string) => ({ env: { PATH: `${folder}:${process.env.PATH ?? ''}` } });

    it('fail: start ends with 1 and says what to do', async () => {
      const file = await configured('fail');
      const options = withPath(systemClock('not synchronised'));
      const { code, stderr } = await runCli(['start', '--config', file], options);
      expect(code).to.equal(1);
      expect(stderr).to.include('the clock is not synchronised by NTP');
      expect(stderr).to.include('timedatectl set-ntp true');
    });

    it('warn: start goes on, and status shows the state', async () => {
      const file = await configured('warn');
      reconfigure(file, { node: { listen: `127.0.0.1:${await freePort()}` } });
      const options = withPath(systemClock('not synchronised'));
      const status = async () => {
        const { stdout } = await runCli(['status', '--json', '--config', file], options);
        return JSON.parse(stdout) as StatusReport;
      };
      expect((await status()).ntp?.state).to.equal('not_synchronised');
      const daemon = startCli(['start', '--json', '--config', file], options);
      await daemon.line((line) => line.includes('"listen"'), 'its address');
      // The state is there a little after the address is.
      let shown = await status();
      while (shown.ntp === null) shown = await status();
      expect(shown).to.deep.include({ running: true });
      expect(shown.ntp.state).to.equal('not_synchronised');
      const { stdout } = await runCli(['status', '--config', file], options);
      expect(stdout).to.include('NOT synchronised by NTP');
      await daemon.end('SIGTERM');
      expect(daemon.errors.match(/the clock is not synchronised/g)).to.have.length(1);
    });

    for (const [requireNtp, tells, level] of [
      ['warn', 'synchronised', 'ok'],
      ['warn', 'not synchronised', 'warning'],
      ['warn', 'nothing', 'ok'],
      ['fail', 'not synchronised', 'error'],
      ['fail', 'nothing', 'error'],
      ['off', 'not synchronised', null],
    ] as const) {
      const found = level === null ? 'does not look' : `finds ${level}`;
      it(`${requireNtp}: doctor ${found} where the system tells ${tells}`, async () => {
        const file = await configured(requireNtp);
        const options = withPath(systemClock(tells));
        const { stdout } = await runCli(['doctor', '--json', '--config', file], options);
        const findings = (JSON.parse(stdout) as DoctorReport).findings.filter(({ check }) => check === 'ntp');
        expect(findings.map((finding) => finding.level)).to.deep.equal(level === null ? [] : [level]);
        if (level === 'warning' || level === 'error') expect(findings[0]?.fix).to.include('set-ntp true');
      });
    }
  });
});
