import { gzipSync } from 'node:zlib';

/** A request to be sent as it is. */
export interface RawRequest {
  readonly method: string;
  /** With its query; any text, one byte for each character. */
  readonly target: string;
  /** Lines as they are, without the end of line. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Where it names another length than it has. */
  readonly length?: string;
}

export type Random = () => number;

type Target = readonly [method: string, target: string, body?: string];

/** Routes of the daemon, as a peer or a person asks; `eve` is a peer of it. */
const ROUTES: readonly Target[] = [
  ['GET', '/health'],
  ['GET', `/health?challenge=${'ab'.repeat(32)}`],
  ['GET', '/sync/changes?since=&limit=10'],
  ['GET', '/sync/changes?since=7d0c.1.aa&limit=10&node=fuzz&epoch=ab&tables=words&wait=0'],
  [
    'GET',
    '/sync/changes?node=fuzz&epoch=ab&known=01234567&full=1&whole=1&ahead=1&witness=ab.1.cd&heard=f3.12&born=5&told=7&held=1&holds=0123456789abcdef&claims=bob@b0:12.ab,cid@c0:0',
  ],
  ['GET', '/sync/changes?since=&node=fuzz&epoch=ab&peek=1&rows=own&wait=0'],
  ['GET', '/sync/changes?since=&limit=10&node=fuzz&epoch=ab&prompt=1'],
  ['POST', '/sync/changes?node=eve&epoch=ab'],
  [
    'POST',
    '/sync/changes?node=eve&epoch=ab&since=&to=ab&pruned=0&invited=1&now=2',
    '{"protocol":1,"node":"eve","epoch":"ab","changes":[],"next_cursor":"ab.1.cd","has_more":false}',
  ],
  ['GET', '/sync/status'],
  ['GET', '/nodes'],
  ['GET', '/sync/conflicts?limit=5'],
  ['GET', '/sync/quarantine?limit=5'],
  ['GET', '/sync/changelog?tail=5'],
  ['GET', '/sync/tables'],
  ['GET', '/sync/activity?after=1704326400'],
  ['POST', '/sync/conflicts/1/resolve', '{"keep":"local","force":false}'],
  ['POST', '/sync/quarantine/1/retry', '{}'],
  ['GET', '/sync/fingerprint'],
  ['GET', '/sync/fingerprint?table=words&columns=["id"]&after=["a"]&upto=["z"]&rows=10&parts=2'],
  ['GET', '/sync/fingerprint?table=words&list=1&rows=10'],
  ['GET', '/sync/fingerprint?table=words&keys=[["a"]]&changes=1'],
  ['POST', '/sync/fingerprint', '{"table":"words","keys":"[[\\"a\\"]]","changes":"1"}'],
  ['GET', '/sync/snapshot?node=fuzz'],
  ['POST', '/sync/trigger', '{"peer":"nobody"}'],
  ['POST', '/sync/trigger-all', '{}'],
  ['POST', '/sync/full-sync', '{"peer":"nobody"}'],
  ['POST', '/sync/backup', '{}'],
  ['POST', '/sync/reload-peers', '{}'],
];

/** What the contract names besides, and what nobody does: seldom, as any path that is not there answers the same. */
const OTHERS: readonly Target[] = [
  ['GET', '/metrics'],
  ['GET', '/'],
  ['GET', '/dashboard/1'],
  ['GET', '/dashboard/main.js'],
  ['GET', '/no/such/route'],
];

/** The paths that are asked for, without their queries. */
export const FUZZED_PATHS: ReadonlySet<string> = new Set(
  [...ROUTES, ...OTHERS].map(([, target]) => target.split('?')[0] ?? ''),
);

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'get',
  'G\0T',
  '',
];

/** What may stand where a parameter's value, a cursor, a name or a number should. */
const JUNK: readonly string[] = [
  '',
  '0',
  '-1',
  '1e9',
  '99999999999999999999999999',
  '1.5',
  'NaN',
  'null',
  '[]',
  '{}',
  '[[[[[[',
  '["a",',
  '{"$blob":"!"}',
  '{"__proto__":{"admin":true}}',
  '__proto__',
  'constructor',
  '%',
  '%00',
  '%ff%fe',
  '%c0%af',
  '%ed%a0%80',
  '%0d%0aset-cookie:%20a=b',
  '\xff\xfe\x80',
  '..%2f..%2fetc%2fpasswd',
  "'; DROP TABLE words; --",
  'words%22%20--',
  '_sync_changes',
  'sqlite_schema',
  '7d0c.1.aa',
  '7d0c.99999999999999999.aa',
  'a'.repeat(200),
  'a'.repeat(20_000),
  '%0a'.repeat(2_000),
  '['.repeat(4_000),
  'ann@b0:1.aa,'.repeat(300),
];

const HEADERS: readonly string[] = [
  'x-api-key: wrong',
  'authorization: Bearer',
  'authorization: Bearer \xff\xff',
  `x-api-key: ${'k'.repeat(9_000)}`,
  `x-${'n'.repeat(30_000)}: 1`,
  'host: evil.example',
  'host:',
  'host: [::1',
  'origin: https://evil.example',
  'origin: null',
  'accept-encoding: br;q=9, gzip;q=abc, *;q=0',
  'accept-encoding: identity;q=0',
  'accept: \x01\x02',
  'range: bytes=99999999999-0',
  'range: lines=1-2',
  'if-range: "',
  'if-none-match: *',
  'expect: 100-continue',
  'expect: the worst',
  'upgrade: websocket',
  'transfer-encoding: chunked',
  'transfer-encoding: gzip, chunked',
  'content-length: -5',
  'content-length: 1e3',
  'content-encoding: gzip',
  'content-encoding: br',
  'content-encoding: zstd',
  'content-type: application/json; charset=utf-7',
  'content-type: text/html',
  'content-type: multipart/form-data',
  'x-request-sha256: 00',
  'x-http-method-override: DELETE',
  'connection: upgrade, close, x',
  'cookie: ' + 'a=b;'.repeat(500),
  ' folded: 1',
  'no colon at all',
  'nul\0: 1',
  'bare: a\rb',
];

/** Bodies that are no answer to anything, small on the wire and large behind it among them. */
const BODIES: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from('{'),
  Buffer.from('null'),
  Buffer.from('[]'),
  Buffer.from('"text"'),
  Buffer.from('{"peer":null}'),
  Buffer.from('{"peer":["a"]}'),
  Buffer.from('{"__proto__":{"peer":"a"},"constructor":{"prototype":{"peer":"a"}}}'),
  Buffer.from(`{"peer":"${'p'.repeat(600)}"}`),
  Buffer.from(`{"peer":"${'p'.repeat(20_000)}"}`),
  Buffer.from('['.repeat(10_000)),
  Buffer.from(`${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`),
  Buffer.from([0xff, 0xfe, 0x00, 0x7b]),
  Buffer.from('{"peer":"\xff\xfe"}', 'latin1'),
  Buffer.from('{"table":"words","keys":"[[null]]"}'),
  Buffer.from(`{"table":"words","keys":"${'['.repeat(60_000)}"}`),
  Buffer.from('{"table":"words","columns":"[1]","rows":-1,"list":"yes"}'),
  Buffer.from('1e999'),
  gzipSync(Buffer.from('{"peer":"a"}')),
  gzipSync(Buffer.alloc(20_000_000, 'a')),
  gzipSync(Buffer.from('{"peer":"a"}')).subarray(0, 15),
];

/** A request that a daemon can make nothing of, or nothing but a refusal or a plain answer. */
export function badRequest(random: Random): RawRequest {
  let request = requestOf(oneOf(random() < 0.85 ? ROUTES : OTHERS, random));
  // Whatever is wrong first hides the rest: most have one fault.
  const times = random() < 0.7 ? 1 : 2 + Math.floor(random() * 2);
  for (let time = 0; time < times; time += 1) request = oneOf(SPOIL, random)(request, random);
  return request;
}

function requestOf([method, target, body = '']: Target): RawRequest {
  const headers = ['host: 127.0.0.1', 'content-type: application/json'];
  return { method, target, headers, body: Buffer.from(body) };
}

/** The bytes of a request, with the length of its body where it says none itself. */
export function bytesOf({ method, target, headers, body, length }: RawRequest): Buffer {
  const counted = body.length > 0 || length !== undefined ? [`content-length: ${length ?? body.length}`] : [];
  const lines = [`${method} ${target} HTTP/1.1`, ...headers, ...counted, 'connection: close', '', ''];
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]);
}

type Spoiler = (request: RawRequest, random: Random) => RawRequest;

const SPOIL: readonly Spoiler[] = [
  (request, random) => ({ ...request, method: oneOf(METHODS, random) }),
  (request, random) => ({ ...request, target: withBadParameter(request.target, random) }),
  (request, random) => ({ ...request, target: withBadParameter(request.target, random) }),
  (request, random) => ({ ...request, target: withBadParameter(request.target, random) }),
  (request, random) => ({ ...request, target: `${request.target}/${oneOf(JUNK, random)}` }),
  (request, random) => ({ ...request, target: `/${oneOf(JUNK, random)}${request.target}` }),
  (request, random) => ({
    ...request,
    target: changedByte(Buffer.from(request.target, 'latin1'), random).toString('latin1'),
  }),
  (request, random) => ({ ...request, headers: [...request.headers, oneOf(HEADERS, random)] }),
  (request, random) => ({ ...request, headers: [oneOf(HEADERS, random), ...request.headers] }),
  (request, random) => ({ ...request, headers: [oneOf(HEADERS, random)] }),
  withBadBody,
  withBadBody,
  (request, random) => {
    const bad = withBadBody(request, random);
    return { ...bad, headers: [...bad.headers, 'content-encoding: gzip'] };
  },
  (request, random) => ({ ...request, body: changedByte(request.body, random) }),
  (request, random) => ({
    ...request,
    length: oneOf(['0', '-1', '3', '99999999999999999999', 'x', ''], random),
  }),
];

/** In a request that may have one. */
function withBadBody(request: RawRequest, random: Random): RawRequest {
  const posts = [...ROUTES, ...OTHERS].filter(([method]) => method === 'POST');
  const { method, target } = request.method === 'POST' ? request : requestOf(oneOf(posts, random));
  return { ...request, method, target, body: oneOf(BODIES, random) };
}

/** Replaces, repeats or adds a parameter. */
function withBadParameter(target: string, random: Random): string {
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const parameters = query === '' ? [] : query.split('&');
  const place = Math.floor(random() * (parameters.length + 1));
  const [known] = (parameters[place] ?? '').split('=');
  const name = known === undefined || known === '' ? oneOf([...PARAMETERS, ...JUNK], random) : known;
  const junk = oneOf(JUNK, random);
  // As it is, it seldom gets past the parser of HTTP.
  const bad = `${name}=${random() < 0.8 ? encodeURIComponent(junk) : junk}`;
  const kept = random() < 0.2 ? parameters.slice(0, place + 1) : parameters.slice(0, place);
  return `${path}?${[...kept, bad, ...parameters.slice(place + 1)].join('&')}`;
}

const PARAMETERS = [
  'since',
  'limit',
  'node',
  'tables',
  'wait',
  'peek',
  'prompt',
  'claims',
  'table',
  'keys',
  'rows',
  'list',
  'tail',
  'after',
  '__proto__',
  'a[b][c]',
];

function changedByte(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return bytes;
  const changed = Buffer.from(bytes);
  changed[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return changed;
}

export function oneOf<T>(choices: readonly T[], random: Random): T {
  return choices[Math.floor(random() * choices.length)] as T;
}
