import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '#src/config/load.js';
import { scratchFile } from '../scratch.js';
import { thrownBy } from '../thrown.js';

const MINIMAL = 'node: { id: desktop }\ndatabase: { path: app.db }\n';

describe('security.tls', () => {
  it('names files relative to the configuration file', () => {
    const file = scratchFile(`${MINIMAL}security: { tls: { cert: a.crt, key: ./b.key, ca: /etc/ca.crt } }`);
    expect(loadConfig(file, {}).security.tls).to.deep.equal({
      certFile: join(file, '..', 'a.crt'),
      keyFile: join(file, '..', 'b.key'),
      caFile: '/etc/ca.crt',
      requireClientCert: false,
    });
  });

  const incomplete: [tls: string, said: string][] = [
    ['{}', 'security.tls.cert: expected a certificate and its key, or ca, or both'],
    ['{ cert: a }', 'security.tls.key: expected the key of that certificate'],
    ['{ key: a }', 'security.tls.cert: expected the certificate of that key'],
    ['{ cert: a, key: b, require_client_cert: true }', 'security.tls.ca: expected the authority'],
    [
      '{ ca: a, require_client_cert: true }',
      'security.tls.cert: expected a certificate and its key, without',
    ],
  ];
  for (const [tls, said] of incomplete) {
    it(`is refused as ${tls}`, () => {
      const error = thrownBy(() => loadConfig(scratchFile(`${MINIMAL}security: { tls: ${tls} }`), {}));
      expect(error).to.include({ code: 'config_invalid', exitCode: 2 });
      expect(error.message).to.include(said);
    });
  }
});
