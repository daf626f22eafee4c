import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { TlsConfig } from '#src/config/config.js';
import { openCertificates } from '#src/tls/certificates.js';
import { readTlsFiles, type TlsFiles } from '#src/tls/files.js';
import { certificateCheck } from '#src/doctor/certificate.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { scratchFile, scratchFolder } from '../scratch.js';
import { testConfig } from '../stand-ins/config.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { thrownBy } from '../thrown.js';
import { Authority, commands, run, type CertificateFiles } from './authority.js';

const DAY_MS = 24 * 60 * 60 * 1000;

withPrograms(['openssl'], () => {
  describe('The files of security.tls', () => {
    let ours: Authority;
    let files: CertificateFiles;
    before(() => {
      ours = new Authority();
      files = ours.issue('desktop');
    });

    it('are made by the commands of docs/security.md, and belong together', () => {
      const folder = scratchFolder();
      ours.issueTo(folder, 'desktop', { names: 'DNS:desktop.lan,IP:192.168.1.10' });
      const said = run(commands('look'), folder);
      expect(said).to.include('CN = desktop').and.include('DNS:desktop.lan, IP Address:192.168.1.10');
      expect(said).to.include('node.crt: OK');
      expect(read(files)?.validUntilMs).to.be.greaterThan(Date.now() + 824 * DAY_MS);
    });

    const faulty: [title: string, change: () => Partial<CertificateFiles>, code: string, said: RegExp][] = [
      [
        'that is missing',
        () => ({ cert: '/nowhere/node.crt' }),
        'tls_invalid',
        /tls\.cert: .*can't be read: ENOENT/,
      ],
      [
        'of something else',
        () => ({ cert: scratchFile('no certificate') }),
        'tls_invalid',
        /holds no certificate/,
      ],
      [
        'with the key of another certificate',
        () => ({ key: ours.issue('b').key }),
        'tls_invalid',
        /is not the key of/,
      ],
      ['with a certificate for a key', () => ({ key: files.cert }), 'tls_invalid', /no private key/],
      ['with a key for an authority', () => ({ ca: files.key }), 'tls_invalid', /tls\.ca: .*no certificate/],
      [
        'that has expired',
        () => ours.issue('b', { days: -1 }),
        'tls_expired',
        /has expired: it was valid until/,
      ],
    ];
    for (const [title, change, code, said] of faulty) {
      it(`are refused with exit code 2 by path where there is one ${title}`, () => {
        const error = thrownBy(() => read({ ...files, ...change() }));
        expect(error).to.include({ code, exitCode: 2 });
        expect(error.message).to.match(said);
      });
    }

    it('tell nothing of a key with a passphrase but that it has one', () => {
      const folder = scratchFolder();
      run(`openssl ec -in ${files.key} -aes256 -passout pass:secret-words -out locked.key`, folder);
      const error = thrownBy(() => read({ ...files, key: join(folder, 'locked.key') }));
      expect(error.message).to.include('a key with a passphrase').and.not.include('secret');
    });

    it('may hold an authority that has ended beside the one that follows it', () => {
      const ended = ours.issue('old', { days: -1 }).cert;
      const both = scratchFile(`${readFileSync(ended, 'utf8')}${readFileSync(ours.ca, 'utf8')}`, 'ca.crt');
      expect(read({ ...files, ca: both })).to.not.equal(null);
      expect(thrownBy(() => read({ ...files, ca: ended }))).to.include({ code: 'tls_expired' });
    });

    it('are a finding of doctor, with the days that are left', async () => {
      const levels: [days: number, level: string][] = [
        [825, 'ok'],
        [20, 'warning'],
      ];
      for (const [days, level] of levels) {
        const config = configOf(ours.issue('b', { days }));
        const [seen] = await certificateCheck.look(setup(config));
        expect(seen).to.include({ level });
        expect(seen?.message).to.include(`${days - 1} more days`);
      }
    });

    it('are read again when they have changed, and told once where they do not fit together', () => {
      const folder = scratchFolder();
      const mine = ours.issueTo(folder, 'a');
      const log = new LogRecorder();
      const certificates = openCertificates(configOf(mine), log.logger);
      const changes: TlsFiles[] = [];
      const look = () => certificates?.look((changed) => changes.push(changed));
      const before = certificates?.current;
      expect(look()).to.equal(false);
      const next = ours.issue('a');
      copyFileSync(next.cert, mine.cert);
      for (let times = 0; times < 4; times += 1) expect(look()).to.equal(false);
      expect(certificates?.current).to.equal(before);
      expect(
        log.of('changed certificates can not be used: the former ones stay in use', 'error'),
      ).to.have.length(1);
      copyFileSync(next.key, mine.key);
      expect(look()).to.equal(true);
      expect(certificates?.current).to.not.equal(before);
      expect(changes).to.have.length(1);
      writeFileSync(mine.ca, 'nonsense');
      expect(look()).to.equal(false);
      expect(certificates?.files.fingerprint).to.equal(changes[0]?.fingerprint);
    });
  });
});

function configOf({ cert, key, ca }: CertificateFiles) {
  const tls: TlsConfig = { certFile: cert, keyFile: key, caFile: ca, requireClientCert: false };
  const config = testConfig();
  return { ...config, security: { ...config.security, tls } };
}

function read(files: CertificateFiles): TlsFiles | null {
  return readTlsFiles(configOf(files), Date.now());
}

function setup(config: ReturnType<typeof configOf>) {
  const daemon = { running: false, status: null, error: null };
  return { config, daemon, version: '1', nowMs: Date.now() };
}
