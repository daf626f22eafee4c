import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readNtp } from '#src/clock/ntp.js';
import { scratchFolder } from '../scratch.js';
import { standIn, timedatectl } from './ntp-stand-in.js';

describe('the state of NTP', () => {
  const onLinux = (path: string, deadlineMs?: number) =>
    readNtp({ platform: 'linux', path, ...(deadlineMs === undefined ? {} : { deadlineMs }) });

  describe('on Linux', () => {
    it('is synchronised where timedatectl says so, whoever sets the clock', async () => {
      expect(await onLinux(timedatectl('yes'))).to.deep.equal({
        state: 'synchronised',
        detail: 'timedatectl: NTPSynchronized=yes, NTP=yes',
      });
      expect((await onLinux(timedatectl('yes', 'no'))).state).to.equal('synchronised');
    });

    it('is not synchronised where NTP is off, or has not set the clock yet', async () => {
      for (const ntp of ['yes', 'no'] as const) {
        expect(await onLinux(timedatectl('no', ntp))).to.deep.equal({
          state: 'not_synchronised',
          detail: `timedatectl: NTPSynchronized=no, NTP=${ntp}`,
        });
      }
    });

    const unknown: Record<string, [script: string, says: string]> = {
      'says something else': ['echo "Local time: tomorrow"', 'gave no answer that tells'],
      'says nothing': ['exit 0', 'gave no answer that tells'],
      'says what is neither yes nor no': ['echo NTPSynchronized=maybe', 'gave no answer that tells'],
      'fails, whatever it said': ['echo NTPSynchronized=yes; exit 3', 'ended with exit code 3'],
      'says more than anyone asked': [
        'exec /usr/bin/yes NTPSynchronized=yes',
        'said far more than was asked',
      ],
    };
    for (const [title, [script, says]] of Object.entries(unknown)) {
      it(`is unknown where timedatectl ${title}`, async () => {
        const ntp = await onLinux(standIn('timedatectl', script));
        expect(ntp).to.deep.equal({ state: 'unknown', detail: `timedatectl ${says}` });
      });
    }

    it('is unknown where there is no timedatectl', async () => {
      const ntp = await onLinux(scratchFolder());
      expect(ntp).to.deep.equal({ state: 'unknown', detail: 'timedatectl is not installed' });
    });

    it('is unknown, and the program is ended, where timedatectl does not answer in time', async () => {
      const pidFile = join(scratchFolder(), 'pid');
      const path = standIn('timedatectl', `echo $$ > '${pidFile}'; exec /bin/sleep 600`);
      const ntp = await onLinux(path, 500);
      expect(ntp).to.deep.equal({ state: 'unknown', detail: 'timedatectl did not answer within 0.5 s' });
      const pid = Number(readFileSync(pidFile, 'utf8'));
      expect(pid).to.be.greaterThan(1);
      expect(() => process.kill(pid, 0)).to.throw('ESRCH');
    });

    it('is asked without a shell, and without our environment', async () => {
      const file = join(scratchFolder(), 'asked');
      const path = standIn('timedatectl', `echo "$@" > '${file}'; /usr/bin/env >> '${file}'`);
      process.env.SYNC_TEST_SECRET = 'top-secret';
      try {
        await onLinux(path);
      } finally {
        delete process.env.SYNC_TEST_SECRET;
      }
      const asked = readFileSync(file, 'utf8');
      expect(asked).to.match(/^show -p NTPSynchronized -p NTP\n/);
      expect(asked).to.include('LC_ALL=C').and.not.include('top-secret');
    });
  });

  describe('on macOS', () => {
    const onMac = (script: string) => readNtp({ platform: 'darwin', path: standIn('systemsetup', script) });

    it('is what systemsetup says of network time', async () => {
      expect(await onMac('echo "Network Time: On"')).to.deep.equal({
        state: 'synchronised',
        detail: 'systemsetup: Network Time: On',
      });
      expect((await onMac('echo "Network Time: Off"')).state).to.equal('not_synchronised');
    });

    it('is unknown where systemsetup wants an administrator', async () => {
      const ntp = await onMac('echo "You need administrator access to run this tool... exiting!"');
      expect(ntp).to.deep.equal({ state: 'unknown', detail: 'systemsetup gave no answer that tells' });
    });
  });

  it('is unknown on other systems', async () => {
    expect((await readNtp({ platform: 'aix' })).state).to.equal('unknown');
  });
});
