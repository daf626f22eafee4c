import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { commandNames } from '#src/cli/commands.js';
import { fingerprinter } from '#src/wire/fingerprint.js';
import { parsePage } from '#src/wire/page.js';
import { fromWire, type SqlValue } from '#src/wire/value.js';
import { runMain } from '../cli/captured.js';
import {
  allDocuments,
  anchorsOf,
  blocksOf,
  codeOf,
  documentAt,
  PROJECT,
  relativeLinksOf,
} from './documents.js';

/** The words of the house, one per idea. */
const WORDS = [
  'replica',
  'peer',
  'node id',
  'origin',
  'changelog',
  'change',
  'log id',
  'cursor',
  'page',
  'claim',
  'member',
  'epoch',
  'feed',
  'pull',
  'apply',
  'resolve',
  'version',
  'stamp',
  'tombstone',
  'fold',
  'backfill',
  'snapshot',
  'prune',
  'quarantine',
  'conflict',
  'skew',
];

/** Other programs whose options stand in the documentation. */
const OTHER_PROGRAMS = /^(npm|npx|sqlite3|curl|systemctl|timedatectl|journalctl|ufw|chronyc|node) /;

describe('The documentation', () => {
  it('links only to files and headings that exist', () => {
    const broken = allDocuments().flatMap((document) =>
      relativeLinksOf(document)
        .filter(({ path, anchor }) => !leads(path, anchor))
        .map(({ path, anchor }) => `${document.path}: ${path}#${anchor ?? ''}`),
    );
    expect(broken).to.deep.equal([]);
  });

  it('names only commands that exist', () => {
    const known = [...commandNames, 'help'];
    const named = allDocuments().flatMap(codeOf).flatMap(commandsIn);
    expect(named).to.include.members(['init', 'migrate', 'start']);
    expect(named.filter((name) => !known.includes(name))).to.deep.equal([]);
  });

  it('names only options that exist, of the command that they stand with', async () => {
    const ofCommand = new Map<string, string[]>();
    for (const name of commandNames) ofCommand.set(name, optionsIn(await helpOf(name)));
    const ofAny = ['--version', ...[...ofCommand.values()].flat()];
    const unknown = allDocuments()
      .flatMap(codeOf)
      .filter((code) => !OTHER_PROGRAMS.test(code))
      .flatMap((code) => {
        const [command = code.split(' ')[0] ?? ''] = commandsIn(code);
        const known = ofCommand.get(command) ?? ofAny;
        return optionsIn(code)
          .filter((option) => !known.includes(option))
          .map((option) => `${code}: ${option}`);
      });
    expect(unknown).to.deep.equal([]);
  });

  it('names only tests that exist', () => {
    const named = allDocuments().flatMap(({ text }) => text.match(/\btest\/[\w/.-]+\.ts\b/g) ?? []);
    expect(named).to.not.be.empty;
    expect(named.filter((path) => !existsSync(join(PROJECT, path)))).to.deep.equal([]);
  });

  it('explains every word of the house in the glossary', () => {
    const { text } = documentAt('docs/glossary.md');
    const entries = [...text.matchAll(/^\*\*(.+?)\*\*/gm)].flatMap(([, entry = '']) => entry.split(', '));
    expect(entries).to.include.members(WORDS);
  });

  it('tells what to do about error codes that exist', () => {
    const sources = readdirSync(join(PROJECT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(PROJECT, 'src', file), 'utf8'))
      .join('\n');
    const [, section = ''] = documentAt('docs/operations.md').text.split('\n## Troubleshooting\n');
    const cells = [...section.matchAll(/^\| (`[^|]+`) \|/gm)].map(([, cell = '']) => cell);
    const codes = cells.flatMap((cell) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, code = '']) => code));
    expect(codes).to.include('peer_unreachable');
    expect(codes.filter((code) => !sources.includes(`'${code}'`))).to.deep.equal([]);
  });
});

describe('docs/protocol.md', () => {
  const document = documentAt('docs/protocol.md');
  const block = (info: string): string => {
    const found = blocksOf(document).find((each) => each.info === info);
    if (found === undefined) throw new Error(`Expected a block marked ${info} in docs/protocol.md`);
    return found.text;
  };

  it('shows a page that this program reads, under its checksum', () => {
    const body = Buffer.from(JSON.stringify(JSON.parse(block('json page'))));
    expect(parsePage(body).changes).to.have.length.above(2);
    const promised = /x-page-sha256: ([0-9a-f]{64})/.exec(document.text)?.[1];
    expect(createHash('sha256').update(body).digest('hex')).to.equal(promised);
  });

  it('shows fingerprints that this program makes', () => {
    const page = parsePage(Buffer.from(block('json page')));
    for (const { record, version } of page.changes) {
      if (record !== null) expect(fingerprintOf(record)).to.equal(version.fingerprint);
    }
    const examples = block('text fingerprints').trim().split('\n');
    expect(examples).to.have.length.above(5);
    for (const line of examples) {
      const [fingerprint, record = ''] = line.split(/ +(.*)/);
      expect(fingerprintOf(decoded(record)), line).to.equal(fingerprint);
    }
  });
});

function leads(path: string, anchor: string | null): boolean {
  if (!existsSync(join(PROJECT, path))) return false;
  return anchor === null || anchorsOf(documentAt(path)).includes(anchor);
}

function commandsIn(code: string): string[] {
  return [...code.matchAll(/(?:^|[\s/])sqlite-p2p-sync ([a-z][a-z-]*)/g)].map(([, name = '']) => name);
}

function optionsIn(text: string): string[] {
  return [...text.matchAll(/(?:^|[\s[(])(--[a-z][a-z-]+)/g)].map(([, option = '']) => option);
}

async function helpOf(command: string): Promise<string> {
  return (await runMain([command, '--help'])).stdout;
}

function decoded(json: string): ReadonlyMap<string, SqlValue> {
  const entries = Object.entries(JSON.parse(json) as Record<string, unknown>);
  return new Map(entries.map(([name, value]) => [name, fromWire(value) ?? null]));
}

function fingerprintOf(record: ReadonlyMap<string, SqlValue>): string {
  return fingerprinter([...record.keys()])([...record.values()]);
}
