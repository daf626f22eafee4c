import { expect } from 'chai';
import { createAdmission } from '#src/discovery/admit.js';
import { SERVICE_LABEL } from '#src/discovery/service.js';

function packet(
  counts: readonly [number, number, number, number],
  bytes = 100,
  label = SERVICE_LABEL,
): Buffer {
  const header = Buffer.alloc(12);
  for (const [index, count] of counts.entries()) header.writeUInt16BE(count, 4 + 2 * index);
  return Buffer.concat([header, label, Buffer.alloc(Math.max(0, bytes - 12 - label.length))]);
}

describe('a packet from the network', () => {
  it('is read only where it names our service', () => {
    const admits = createAdmission(() => 0);
    expect(admits(packet([1, 0, 0, 0]))).to.equal(true);
    expect(admits(packet([1, 0, 0, 0], 100, Buffer.from('\u0005_http')))).to.equal(false);
  });

  it('is not read where it is cut off, too large, or says that it holds too much', () => {
    const admits = createAdmission(() => 0);
    expect(admits(SERVICE_LABEL.subarray(0, 5))).to.equal(false);
    expect(admits(packet([0, 1, 0, 0], 20_000))).to.equal(false);
    expect(admits(packet([0, 20, 20, 25]))).to.equal(false);
    expect(admits(packet([17, 0, 0, 0]))).to.equal(false);
    expect(admits(packet([16, 20, 20, 24]))).to.equal(true);
  });

  it('is one of 50 a second at most', () => {
    let nowMs = 5;
    const admits = createAdmission(() => nowMs);
    const admitted = () => Array.from({ length: 10_000 }, () => admits(packet([0, 1, 0, 0]))).filter(Boolean);
    expect(admitted()).to.have.length(50);
    nowMs += 1000;
    expect(admitted()).to.have.length(50);
  });
});
