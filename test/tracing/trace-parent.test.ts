import { expect } from 'chai';
import { formatTraceParent, parseTraceParent } from '#src/tracing/trace-parent.js';

describe('A traceparent', () => {
  const text = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  it('is read as it is written', () => {
    const place = parseTraceParent(text);
    expect(place).to.deep.equal({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      traceFlags: 1,
    });
    expect(place === null ? '' : formatTraceParent(place)).to.equal(text);
  });

  it('that names no place is nothing', () => {
    for (const wrong of [
      '',
      `${text}-more`,
      text.toUpperCase(),
      text.replace('00-4', 'ff-4'),
      `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
      `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`,
      `${text}\r\nx: y`,
    ]) {
      expect(parseTraceParent(wrong), wrong).to.equal(null);
    }
  });
});
