import BetterSqlite3 from 'better-sqlite3';
import { identifier, statement, template } from '../sql/template.js';
import { compareReplicas, type Comparison, type Difference } from './compare.js';
import { readLedgers, type Overruled } from './ledger.js';
import type { Machine } from './machine.js';
import { countDeeds, machinesOf, REPLICATED_TABLES, type Stage } from './stage.js';
import type { Plot } from './story.js';

/** One thing that must hold at the end. */
export interface Check {
  readonly holds: boolean;
  readonly text: string;
}

export interface Proof {
  readonly checks: readonly Check[];
  readonly comparison: Comparison;
  readonly conflicts: readonly Overruled[];
}

/** Looks into the three files after everything has ended. */
export function prove(stage: Stage, plot: Plot): Proof {
  const machines = machinesOf(stage);
  const replicas = machines.map(({ name, database }) => ({ name, file: database }));
  const comparison = compareReplicas(replicas, REPLICATED_TABLES);
  const conflicts = readLedgers(machines);
  const checks = [
    equality(comparison),
    completeness(stage, comparison),
    ...effects(machines, plot),
    conflictKept(conflicts, plot),
    ...machines.map((machine) => untouched(stage, machine)),
  ];
  return { checks, comparison, conflicts };
}

function equality({ differences, rows }: Comparison): Check {
  const counted = [...rows].map(([table, count]) => `${count} ${table}`).join(' and ');
  return differences.length === 0
    ? { holds: true, text: `${counted} are equal in all three, value and type of every column` }
    : { holds: false, text: `the replicas differ in ${differences.length} places` };
}

/** Words are only ever added with a new key, so their number tells whether one was lost. */
function completeness(stage: Stage, { rows }: Comparison): Check {
  const added = countDeeds(stage, 'added');
  const erased = countDeeds(stage, 'erased');
  const found = rows.get('words') ?? 0;
  return {
    holds: found === added - erased,
    text: `no word is lost: the applications added ${added} and erased ${erased}, ${found} are there`,
  };
}

interface WordState {
  readonly german: string;
  readonly deleted_at: number | null;
}

function effects(machines: readonly Machine[], plot: Plot): Check[] {
  const everywhere = (id: string, condition: (word: WordState | undefined) => boolean) =>
    machines.every(({ database }) => condition(readWord(database, id)));
  const { disputed, disputedWinner, legacyEdit, legacyWinner, softDeleted, hardDeleted } = plot;
  return [
    {
      holds: everywhere(disputed.id, (word) => word?.german === disputedWinner),
      text: `the later of two edits won everywhere: "${disputed.english}" is "${disputedWinner}"`,
    },
    {
      holds: everywhere(legacyEdit.id, (word) => word?.german === legacyWinner),
      text: `the late joiner's old edit is everywhere: "${legacyEdit.english}" is "${legacyWinner}"`,
    },
    {
      holds: everywhere(softDeleted.id, (word) => typeof word?.deleted_at === 'number'),
      text: `the soft delete is everywhere: "${softDeleted.english}" is marked`,
    },
    {
      holds: everywhere(hardDeleted.id, (word) => word === undefined),
      text: `the hard delete is everywhere: "${hardDeleted.english}" is gone`,
    },
  ];
}

function readWord(file: string, id: string): WordState | undefined {
  return read<WordState>(file, (database) => database.prepare(statement('demo/word')).get({ id }));
}

function conflictKept(conflicts: readonly Overruled[], { disputed, disputedLoser }: Plot): Check {
  const key = JSON.stringify([disputed.id]);
  return {
    holds: conflicts.some(
      (conflict) =>
        conflict.table === 'words' && conflict.key === key && conflict.loser.record?.german === disputedLoser,
    ),
    text: `the edit that lost is kept in a ledger: "${disputedLoser}"`,
  };
}

function untouched(stage: Stage, machine: Machine): Check {
  const made = countDeeds(stage, 'searched', machine);
  const count = template('demo/count-rows', { table: identifier('searches') });
  const found = read<Total>(machine.database, (database) => database.prepare(count).get());
  const foreign = read<Total>(machine.database, (database) =>
    database.prepare(statement('demo/foreign-searches')).get({ machine: machine.name }),
  );
  return {
    holds: found?.total === made && foreign?.total === 0,
    text: `searches, which is not replicated: ${machine.name} has its own ${made} rows and no others`,
  };
}

interface Total {
  readonly total: number;
}

function read<Row>(file: string, query: (database: BetterSqlite3.Database) => unknown): Row | undefined {
  const database = new BetterSqlite3(file, { readonly: true });
  try {
    return query(database) as Row | undefined;
  } finally {
    database.close();
  }
}

/** Of many differences only as many are printed. */
const MAX_PRINTED_DIFFERENCES = 20;

/** What is printed at the end. */
export function proofText({ checks, comparison, conflicts }: Proof): string {
  return [
    ...checks.map(({ holds, text }) => `  ${holds ? 'proven' : 'FAILED'}  ${text}`),
    ...comparison.differences.slice(0, MAX_PRINTED_DIFFERENCES).map(differenceText),
    'SHA-256 of words and reviews:',
    ...[...comparison.sha256].map(([replica, sha256]) => `  ${replica.padEnd(8)} ${sha256}`),
    'Conflicts, as the ledgers (_sync_conflicts) keep them:',
    ...conflicts.map(conflictText),
  ].join('\n');
}

function differenceText({ table, key, column, values }: Difference): string {
  const place = [table, key, column].filter((part) => part !== null).join(', ');
  return `          ${place}: ${values.map(([replica, value]) => `${replica} has ${value}`).join(', ')}`;
}

function conflictText({ table, key, loser, winner, notedBy }: Overruled): string {
  return `  ${table} ${key}: ${sideText(winner)} overruled ${sideText(loser)}; noted on ${notedBy.join(', ')}`;
}

function sideText({ author, record }: Overruled['loser']): string {
  const german = record?.german;
  const what = record === null ? 'a delete' : typeof german === 'string' ? `"${german}"` : 'a row';
  return `${what}${record?.deleted_at == null ? '' : ', deleted softly,'} of ${author}`;
}
