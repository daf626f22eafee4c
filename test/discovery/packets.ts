import { SERVICE_TYPE } from '#src/discovery/service.js';

const TYPE = ['_' + SERVICE_TYPE, '_tcp', 'local'];
const PTR = 12;
const TXT = 16;
const SRV = 33;

/** An mDNS answer as a replica gives it, by hand: nothing in it is checked. */
export function announce({ node, port }: { node: string; port: number }): Buffer {
  const instance = [node.replace(/\W/g, '').slice(0, 40) || 'x', ...TYPE];
  const texts = [`node=${node}`, 'protocol=1', 'scheme=http'].map(labelled);
  const records = [
    record(TYPE, PTR, name(instance)),
    record(instance, SRV, Buffer.concat([uint16(0, 0, port), name(['host', 'local'])])),
    record(instance, TXT, Buffer.concat(texts)),
  ];
  return Buffer.concat([uint16(0, 0x8400, 0, records.length, 0, 0), ...records]);
}

function record(owner: readonly string[], type: number, content: Buffer): Buffer {
  const ttl = uint16(0, 120);
  return Buffer.concat([name(owner), uint16(type, 1), ttl, uint16(content.length), content]);
}

function name(labels: readonly string[]): Buffer {
  return Buffer.concat([...labels.map(labelled), Buffer.from([0])]);
}

function labelled(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function uint16(...values: number[]): Buffer {
  const buffer = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) buffer.writeUInt16BE(value, 2 * index);
  return buffer;
}
