import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { CommandContext, CommandDefinition } from '../cli/command.js';
import { isLoopback, parseListen } from '../config/addresses.js';
import { DEFAULT_TIMESTAMP_PATTERNS } from '../config/schema.js';
import { openFile } from '../database/open.js';
import { SyncError } from '../errors.js';
import { databasePathAnswer, listenAnswer, nodeIdAnswer, peerAnswers } from '../init/answers.js';
import { configText, type Answers } from '../init/config-text.js';
import { findingsTable } from '../init/findings-table.js';
import { findingsJson } from '../init/findings-json.js';
import { inspectTables, type TableFinding } from '../init/inspect.js';
import { existingPatterns } from '../init/patterns.js';
import { lookAround } from '../discovery/look-around.js';
import { foundReports, type FoundReport } from '../replica/find-peers.js';
import { configThere, writeConfig } from './write-config.js';

const BUSY_TIMEOUT_MS = 5000;

interface InitOptions {
  readonly db: string;
  readonly node?: string;
  readonly listen?: string;
  readonly peer?: readonly string[];
  readonly force?: boolean;
  readonly print?: boolean;
  readonly discover?: boolean;
}

/** Inspects a database, which is not changed, and writes a configuration that fits it. */
export const command: CommandDefinition<InitOptions> = {
  name: 'init',
  summary: 'inspect a database and write an annotated sync-config.yaml for it',
  configure(command) {
    command
      .requiredOption('--db <file>', 'the SQLite database to replicate')
      .option('--node <id>', "this replica's node id (default: the name of this machine)")
      .option('--listen <host:port>', 'where the feed listens (default: 127.0.0.1:8091)')
      .option('--peer <name=address>', 'a replica to pull from; may be repeated', collect)
      .option('--force', 'overwrite an existing configuration file')
      .option('--print', 'print the configuration instead of writing it')
      .option('--discover', 'look for replicas in the local network (mDNS) and show them; takes a moment')
      .option('--auto-detect', 'detect tables and columns (the default)');
  },
  async run(context, options) {
    const nodeId = nodeIdAnswer(options.node);
    const listen = listenAnswer(options.listen);
    const peers = peerAnswers(options.peer ?? [], nodeId);
    const mayWrite = options.print === true || options.force === true;
    if (!mayWrite && existsSync(context.configFile)) throw configThere(context.configFile);

    const timestampPatterns = existingPatterns(context.configFile);
    const tables = inspect(options.db, timestampPatterns ?? DEFAULT_TIMESTAMP_PATTERNS);
    const databasePath = databasePathAnswer(options.db, dirname(context.configFile));
    const answers = { nodeId, listen, databasePath, peers, tables, timestampPatterns };
    const text = configText(answers);
    if (options.print !== true) writeConfig(context.configFile, text, options.force === true);
    const found = options.discover === true ? await discovered(context) : null;
    report(context, answers, options.print === true ? text : null, found);
    return 0;
  },
};

function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

function inspect(file: string, patterns: readonly string[]): TableFinding[] {
  const database = open(file);
  try {
    return inspectTables(database, patterns);
  } finally {
    database.close();
  }
}

function open(file: string): Database {
  try {
    return openFile(resolve(file), { readonly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
  } catch (error) {
    const named = error instanceof SyncError && ['database_missing', 'not_a_database'].includes(error.code);
    if (!named) throw error;
    // there is no configuration yet whose database.path could be corrected
    throw new SyncError(error.code, error.message, {
      hint: "Name your application's SQLite file with --db FILE.",
      cause: error,
    });
  }
}

/** Who announces itself in the local network. That anybody does, is no reason to pull from it. */
async function discovered({ logger }: CommandContext): Promise<FoundReport[]> {
  return foundReports(await lookAround({ interfaceAddress: null, logger, wanted: null }), []);
}

function foundLines(found: readonly FoundReport[]): string[] {
  if (found.length === 0) return ['No replica announces itself in the local network.'];
  return found.map(
    ({ node, addresses: [address = ''] }) =>
      `Found in the local network: ${node} at ${address}. If it is yours: init again with --peer ${node}=${address}.`,
  );
}

function report(
  context: CommandContext,
  answers: Answers,
  text: string | null,
  found: readonly FoundReport[] | null,
): void {
  context.printJson({
    config_file: context.configFile,
    written: text === null,
    ...(text === null ? {} : { config: text }),
    ...findingsJson(answers),
    ...(found === null ? {} : { found }),
  });
  if (text !== null) {
    context.print(text.trimEnd());
    return;
  }
  if (answers.tables.length === 0) context.print(`${answers.databasePath} holds no tables yet.`);
  else context.print(findingsTable(answers.tables));
  for (const line of found === null ? [] : foundLines(found)) context.print(line);
  context.print(`Wrote ${context.configFile} for node ${answers.nodeId}.`);
  if (needsKey(answers.listen)) {
    context.print(
      'Other machines can reach this replica: set the same SYNC_API_KEY on all of them (keygen makes one).',
    );
  }
  context.print('Check it, then run: sqlite-p2p-sync migrate, backfill, start.');
}

function needsKey(listen: string): boolean {
  const address = parseListen(listen);
  return address !== null && !isLoopback(address.host);
}
