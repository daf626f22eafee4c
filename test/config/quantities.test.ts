import { expect } from 'chai';
import { parseDurationMs, parseSizeBytes } from '#src/config/quantities.js';

describe('Durations and sizes', () => {
  it('are read in the forms of the documentation', () => {
    expect(parseDurationMs('500ms')).to.equal(500);
    expect(parseDurationMs('30s')).to.equal(30_000);
    expect(parseDurationMs('5m')).to.equal(300_000);
    expect(parseDurationMs('1h')).to.equal(3_600_000);
    expect(parseDurationMs('30d')).to.equal(2_592_000_000);
    expect(parseSizeBytes('512B')).to.equal(512);
    expect(parseSizeBytes('50MB')).to.equal(52_428_800);
    expect(parseSizeBytes('2GB')).to.equal(2_147_483_648);
  });

  it('are refused in any other', () => {
    for (const text of ['', '30', '30 s', '1.5h', '-1s', '1y', '1w', '30sec', '1 day', '5M', 's', '1e3ms']) {
      expect(parseDurationMs(text), text).to.equal(null);
    }
    for (const text of ['', '50', '50 MB', '1.5GB', '-1MB', '50mb', '50MiB', 'MB', '1e3MB']) {
      expect(parseSizeBytes(text), text).to.equal(null);
    }
  });
});
