import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { parseCursor } from '#src/wire/cursor.js';
import { oneOf, type Random } from './bad-requests.js';

/** What a peer answers to a request for a page. */
export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** What is wrong with it, for whoever replays it. */
  readonly fault: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** A page of a peer `eve` in instance `e0` that goes on from a cursor; its changes come as they are given. */
export function pageAfter(since: string, changes: readonly JsonObject[]): JsonObject {
  const before = parseCursor(since)?.logId ?? 0;
  return {
    protocol: 1,
    node: 'eve',
    epoch: 'e0',
    server_time_ms: Date.now(),
    changes: changes.map((change, index) => ({ ...change, seq: before + index + 1 })),
    next_cursor: `e0.${before + changes.length}.aa`,
    has_more: false,
    behind: 0,
  };
}

export function answerOf(page: unknown, fault = ''): PageAnswer {
  return answerWith(Buffer.from(JSON.stringify(page)), fault);
}

export function answerWith(
  body: Buffer,
  fault: string,
  headers: Readonly<Record<string, string>> = {},
): PageAnswer {
  const sha256 = createHash('sha256').update(body).digest('hex');
  return { status: 200, headers: { 'x-page-sha256': sha256, ...headers }, body, fault };
}

/** Absent. */
const NONE = undefined;

/** For each field of a page, what it can't be. */
const NO_PAGE_FIELD: Readonly<Record<string, readonly unknown[]>> = {
  protocol: [0, 2, '1', null, [], {}, NONE],
  node: ['', 'bob', 'a\nb', '__proto__', null, 1, [], NONE, 'x'.repeat(100_000)],
  epoch: ['', 'XYZ', 'ab', null, 1, NONE],
  server_time_ms: ['1', null, [], NONE],
  changes: [null, {}, 'x', 1, NONE, [null], [1], [[]], ['x'], [{}], [{ seq: 1 }]],
  next_cursor: [
    '',
    'x',
    null,
    1,
    NONE,
    'e0.-1.aa',
    'e0.1e5.aa',
    `e0.${'9'.repeat(30)}.aa`,
    'ff.9.aa',
    'e0.0.aa',
  ],
  has_more: ['true', 0, null, NONE, []],
  behind: [-1, 1.5, '0', null, NONE, 1e300],
  oversized: [null, {}, [1], [{}], [{ seq: -1, table: '', key: [] }], 'x'],
  members: [null, {}, [1], [{ node: 'a\n' }], [{ node: 'a', claims: { x: 1 } }], 'x'],
  complete: ['x', 1, null],
  vouches: ['x', 1, null],
  renewed: ['x', 1, null],
  your_cursor: [1, {}, null, 'x'.repeat(500)],
  your_instance: [1, {}, null, { epoch: 'zz', born_ms: -1 }],
  pruned: [1, {}, null, [1], [{ table: '', stamp: 1, rank: 0 }], [{ table: 'words', stamp: -1, rank: 0 }]],
};

/** For each field of a change, what it can't be, whatever the change. */
const NO_CHANGE_FIELD: Readonly<Record<string, readonly unknown[]>> = {
  seq: [-1, 0, 1.5, '1', null, NONE, 1e300, 2 ** 53, []],
  table: ['', null, 1, NONE, [], {}],
  operation: ['insert', 'UPSERT', null, 1, NONE, 'constructor', []],
  key: [[], null, 'a', {}, [true], [[]], [{}], [{ $blob: '!' }], [{ $int: '1.5' }], NONE],
  rank: [-1, 1.5, 'x', null, 2 ** 31, []],
  stamp: [-1, 1.5, '5', null, NONE, 1e15, 253_402_300_800_000, []],
  origin: ['', 'x', 'a@', '@b', null, 1, NONE, 'a b@c', 'a@XYZ', `${'a'.repeat(65)}@b`, '__proto__'],
  fingerprint: ['', 'XYZ', 'ABCDEF0123456789', null, 1, '0123', []],
  seen: [
    null,
    [],
    'x',
    { a: 1 },
    { 'a@b': -1 },
    { 'a@b': '1' },
    { 'a@b': 1e16 },
    JSON.parse('{"__proto__":1}'),
  ],
  origin_seq: [-1, 'x', 1.5, null, {}],
  record: [[], 'x', 1, true, { id: true }, { id: { $int: 'x' } }, { id: {} }, { id: [] }, { id: '\ud800' }],
};

const NO_TABLES = [
  'nope',
  '_sync_changes',
  '_sync_peers',
  'sqlite_schema',
  'settings',
  '__proto__',
  'constructor',
  'words"; DROP TABLE words; --',
  'main.words',
];

/** A row that no table here takes, of which nothing is written: under a new key each time. */
function badRow(number: number, random: Random): JsonObject {
  const id = `bad-${number}`;
  const record = { id, english: 'bad', updated_at: 1 };
  const change = {
    table: 'words',
    operation: 'upsert',
    key: [id],
    stamp: 1_704_326_400_000,
    origin: 'eve@e0',
    fingerprint: '0123456789abcdef',
    record,
  };
  return oneOf<JsonObject>(
    [
      { ...change, table: oneOf(NO_TABLES, random) },
      { ...change, record: { ...record, english: null } },
      { ...change, record: { ...record, evil: 1 } },
      { ...change, record: { ...record, ['evil"; --']: 1 } },
      { ...change, record: { ...record, ...(JSON.parse('{"__proto__":1,"constructor":2}') as object) } },
      { ...change, record: { ...record, ['x'.repeat(50_000)]: 1 } },
      { ...change, record: { ...record, id: 'another' } },
      { ...change, record: {} },
      { ...change, key: [null], record: { ...record, id: null } },
      { ...change, key: [id, id] },
      { ...change, key: [1], record: { ...record, id: 1.5 } },
      { ...change, evil: deep(3_000), record: { ...record, english: null } },
    ],
    random,
  );
}

/** An answer to a request for the page after `since` that must change nothing. `changes` are here already. */
export function badAnswer(
  since: string,
  changes: readonly JsonObject[],
  number: number,
  random: Random,
): PageAnswer {
  const page = pageAfter(since, changes);
  const draw = random();
  if (draw < 0.25) return withBadField(page, random);
  if (draw < 0.6) return withBadChange(page, random);
  if (draw < 0.8) {
    const row = badRow(number, random);
    return answerOf(pageAfter(since, [...changes, row]), `row ${shortJson(row)}`);
  }
  return badBody(Buffer.from(JSON.stringify(page)), random);
}

function withBadField(page: JsonObject, random: Random): PageAnswer {
  const name = oneOf(Object.keys(NO_PAGE_FIELD), random);
  const value = oneOf(NO_PAGE_FIELD[name] ?? [], random);
  return answerOf({ ...page, [name]: value }, `page.${name} ${shortJson(value)}`);
}

function withBadChange(page: JsonObject, random: Random): PageAnswer {
  const changes = page.changes as readonly JsonObject[];
  const place = Math.floor(random() * changes.length);
  const name = oneOf(Object.keys(NO_CHANGE_FIELD), random);
  const value = oneOf(NO_CHANGE_FIELD[name] ?? [], random);
  const spoiled = changes.map((change, index) => (index === place ? { ...change, [name]: value } : change));
  return answerOf({ ...page, changes: spoiled }, `changes[${place}].${name} ${shortJson(value)}`);
}

function badBody(body: Buffer, random: Random): PageAnswer {
  const place = Math.floor(random() * body.length);
  const flipped = Buffer.from(body);
  flipped[place] = (flipped[place] ?? 0) ^ (1 << Math.floor(random() * 8));
  const whole = createHash('sha256').update(body).digest('hex');
  return oneOf<() => PageAnswer>(
    [
      () => answerWith(body.subarray(0, place), `cut at ${place}`),
      () => answerWith(flipped, `bit of ${place} flipped`, { 'x-page-sha256': whole }),
      () => answerWith(body, 'another checksum', { 'x-page-sha256': '0'.repeat(64) }),
      () => ({ ...answerWith(body, 'no checksum'), headers: {} }),
      () => answerWith(Buffer.concat([body, Buffer.from('x')]), 'more after its end'),
      () => answerWith(Buffer.concat([Buffer.from([0xff, 0xfe]), body]), 'no UTF-8'),
      () => answerWith(Buffer.from(''), 'empty'),
      () => answerWith(Buffer.from('null'), 'null'),
      () => answerWith(Buffer.from('[]'), 'a list'),
      () => answerWith(Buffer.from('['.repeat(200_000)), 'a list in a list'),
      () => answerWith(Buffer.from(JSON.stringify(deep(2_000))), 'an object in an object'),
      () =>
        answerWith(Buffer.from(`{"protocol":1,"protocol":2,${body.toString().slice(15)}`), 'a field twice'),
      () => answerWith(body, 'not compressed', { 'content-encoding': 'gzip' }),
      () => answerWith(body, 'of no encoding', { 'content-encoding': 'constructor' }),
      () => packed(gzipSync(body).subarray(0, 40), 'gzip'),
      () => packed(brotliCompressSync(body).subarray(0, 40), 'br'),
      () => refusal(random),
    ],
    random,
  )();
}

function packed(body: Buffer, encoding: string): PageAnswer {
  return answerWith(body, `cut within ${encoding}`, { 'content-encoding': encoding });
}

function refusal(random: Random): PageAnswer {
  const status = oneOf([204, 206, 301, 302, 400, 401, 404, 409, 418, 429, 500, 503], random);
  const location = { location: 'http://127.0.0.1:1/' };
  const error = oneOf<unknown>(
    [
      {},
      { error: 'text' },
      { error: { code: 1, message: [] } },
      { error: { code: 'two_owners', message: '\n2030-01-01T00:00:00.000Z error forged' } },
      { error: { code: '__proto__', message: 'm'.repeat(50_000) } },
    ],
    random,
  );
  const body = Buffer.from(JSON.stringify(error));
  return { status, headers: status < 400 ? location : {}, body, fault: `HTTP ${status} ${shortJson(error)}` };
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
}

function shortJson(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 200);
}
