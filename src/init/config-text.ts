import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConflictResolution, PeerConfig } from '../config/config.js';
import { escapeControls } from '../log/escape.js';
import { packageRoot } from '../package-root.js';
import type { TableFinding } from './inspect.js';
import { yamlNames, yamlScalar } from './yaml-scalar.js';

/** What a table is configured with besides what init finds out. */
export interface TableSettings {
  readonly conflictResolution: ConflictResolution;
  readonly preferredNode: string | null;
  /** As in the file. */
  readonly resolver: string | null;
  readonly excludeColumns: readonly string[];
}

export interface Answers {
  readonly nodeId: string;
  /** `host:port` as in the file. */
  readonly listen: string;
  /** As in the file: absolute, or relative to it. */
  readonly databasePath: string;
  readonly peers: readonly PeerConfig[];
  readonly tables: readonly (TableFinding & { readonly settings?: TableSettings })[];
  /** The environment variable that holds the key; absent: the default. */
  readonly apiKeyEnv?: string;
  /** Files of security.tls by their keys; absent or empty: no TLS. */
  readonly tls?: Readonly<Record<string, string>>;
  /** Null: the default. */
  readonly timestampPatterns: readonly string[] | null;
}

const INIT_HEADER = `# The configuration of one replica of sqlite-p2p-sync, written by init. Check the tables and peers, then run
#   sqlite-p2p-sync migrate     prepares the database, after a backup
#   sqlite-p2p-sync backfill    enters the rows that are there already
#   sqlite-p2p-sync start       serves this replica's changes and pulls those of the peers
# A key behind a # shows its default.`;

/**
 * The text of a new sync-config.yaml: the annotated example with this replica's own values. All other keys
 * stand there as comments, with their explanation and default.
 */
export function configText(answers: Answers, header = INIT_HEADER): string {
  const paragraphs = exampleParagraphs().map((paragraph) => fill(paragraph, answers));
  return `${[header, ...paragraphs].join('\n\n')}\n`;
}

/** The example's top-level keys, each with the comments above it and all lines below it. Its own header is left out. */
function exampleParagraphs(): string[][] {
  const text = readFileSync(join(packageRoot, 'docs', 'config.example.yaml'), 'utf8');
  return text
    .trim()
    .split('\n\n')
    .slice(1)
    .map((paragraph) => paragraph.split('\n'));
}

function fill(lines: readonly string[], answers: Answers): string {
  const at = lines.findIndex((line) => /^\w+:/.test(line));
  const comments = lines.slice(0, at);
  const [head = '', ...body] = lines.slice(at);
  const key = head.slice(0, head.indexOf(':'));
  switch (key) {
    case 'tables':
      return [...comments, ...entries(key, answers.tables.flatMap(tableLines))].join('\n');
    case 'peers':
      return [...comments, ...entries(key, answers.peers.flatMap(peerLines))].join('\n');
    case 'timestamp_column_patterns':
      return [...comments, ...patternLines([head, ...body], answers.timestampPatterns)].join('\n');
    default:
      return [...comments, head, ...body.map((line) => keyLine(line, valuesOf(key, answers)))].join('\n');
  }
}

/** The keys of a section that init knows the values of. */
function valuesOf(section: string, answers: Answers): ReadonlyMap<string, string> {
  if (section === 'node') {
    return new Map([
      ['id', yamlScalar(answers.nodeId)],
      ['name', yamlScalar(answers.nodeId)],
      ['listen', yamlScalar(answers.listen)],
    ]);
  }
  if (section === 'security') {
    const files = Object.entries(answers.tls ?? {}).map(([key, file]) => `${key}: ${yamlScalar(file)}`);
    return new Map([
      ...(answers.apiKeyEnv === undefined ? [] : [['api_key_env', yamlScalar(answers.apiKeyEnv)] as const]),
      ...(files.length === 0 ? [] : [['tls', `{ ${files.join(', ')} }`] as const]),
    ]);
  }
  return new Map(section === 'database' ? [['path', yamlScalar(answers.databasePath)]] : []);
}

/** `  key: value` with the value known, or as a comment. */
function keyLine(line: string, values: ReadonlyMap<string, string>): string {
  const match = /^ {2}(\w+): /.exec(line);
  if (match === null) return line;
  const value = values.get(match[1] ?? '');
  return value === undefined ? `  # ${line.trimStart()}` : `${match[0]}${value}`;
}

function patternLines(example: readonly string[], patterns: readonly string[] | null): string[] {
  if (patterns === null) return example.map((line) => `# ${line}`);
  return [`timestamp_column_patterns: [${patterns.map(yamlScalar).join(', ')}]`];
}

/** An entry that is commented out alone leaves the list empty. */
function entries(key: string, lines: readonly string[]): string[] {
  return lines.some((line) => line.startsWith('  - ')) ? [`${key}:`, ...lines] : [`${key}: []`, ...lines];
}

function peerLines(peer: PeerConfig): string[] {
  const address = peer.address === null ? [] : [`    address: ${yamlScalar(peer.address)}`];
  return [`  - name: ${yamlScalar(peer.name)}`, ...address];
}

function tableLines(table: Answers['tables'][number]): string[] {
  const why = comment(`${table.name} ${table.reason ?? ''}. ${table.remedy ?? ''}`);
  if (table.kind !== 'table') return [why];
  const lines = [`  - name: ${yamlScalar(table.name)}`];
  if (table.key.length > 0) lines.push(`    primary_key: ${yamlNames(table.key)}`);
  if (table.timestampColumn !== null) {
    lines.push(`    timestamp_column: ${yamlScalar(table.timestampColumn)}`);
    lines.push(`    timestamp_format: ${table.timestampFormat}`);
  }
  if (table.softDeleteColumn !== null)
    lines.push(`    soft_delete_column: ${yamlScalar(table.softDeleteColumn)}`);
  if (table.settings !== undefined) lines.push(...settingLines(table.settings));
  if (table.integerKey) lines.push('    allow_integer_key: true');
  const notes = table.notes.map((note) => comment(`${note}.`));
  if (table.replicable) return [...notes, ...lines];
  return [why, ...notes, ...lines.map((line) => `  # ${line.slice(2)}`)];
}

function settingLines(settings: TableSettings): string[] {
  const { conflictResolution, preferredNode, resolver, excludeColumns } = settings;
  return [
    ...(conflictResolution === 'latest_wins' ? [] : [`    conflict_resolution: ${conflictResolution}`]),
    ...(preferredNode === null ? [] : [`    preferred_node: ${yamlScalar(preferredNode)}`]),
    ...(resolver === null ? [] : [`    resolver: ${yamlScalar(resolver)}`]),
    ...(excludeColumns.length === 0
      ? []
      : [`    exclude_columns: [${excludeColumns.map(yamlScalar).join(', ')}]`]),
  ];
}

function comment(text: string): string {
  return `  # ${escapeControls(text)}`;
}
