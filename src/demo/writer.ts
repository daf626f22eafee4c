/*
 * The application of the demo: a vocabulary trainer that writes its SQLite file with better-sqlite3 and knows nothing
 * of replication. It imports nothing of ours, so that nothing but plain SQL can reach the replicas.
 *
 *   writer.js FILE MACHINE install            makes the tables
 *   writer.js FILE MACHINE learn COUNT        adds words, each with a review
 *   writer.js FILE MACHINE change ID GERMAN   edits one word
 *   writer.js FILE MACHINE forget ID          deletes it softly
 *   writer.js FILE MACHINE erase ID           deletes it
 *   writer.js FILE MACHINE work               writes at random until its standard input ends
 *
 * Prints what it did, as one line of JSON.
 */

import { randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';

const BUSY_TIMEOUT_MS = 20_000;
/** Between two writes of `work`. */
const MIN_PAUSE_MS = 20;
const MAX_PAUSE_MS = 120;

const VOCABULARY: readonly (readonly [string, string])[] = [
  ['house', 'Haus'],
  ['tree', 'Baum'],
  ['river', 'Fluss'],
  ['street', 'Straße'],
  ['window', 'Fenster'],
  ['bread', 'Brot'],
  ['beautiful', 'schön'],
  ['exercise', 'Übung'],
  ['cheese', 'Käse'],
  ['to learn', 'lernen'],
];

const [file = '', machine = '', deed = '', ...words] = process.argv.slice(2);
const database = new BetterSqlite3(file, { timeout: BUSY_TIMEOUT_MS });
const counts = { added: 0, changed: 0, forgotten: 0, erased: 0, reviewed: 0, unreviewed: 0, searched: 0 };

function sql(name: string): string {
  return readFileSync(new URL(`../../sql/demo/app/${name}.sql`, import.meta.url), 'utf8');
}

function run(name: string, values: Record<string, unknown>): number {
  return database.prepare(sql(name)).run(values).changes;
}

function pick<Value>(values: readonly Value[]): Value {
  return values[randomInt(values.length)] as Value;
}

function wordOf(name: 'own-word' | 'any-word'): string | null {
  const parameters = name === 'own-word' ? [{ machine }] : [];
  const found = database.prepare<unknown[], { id: string }>(sql(name)).get(...parameters);
  return found?.id ?? null;
}

function addWord([english, german] = pick(VOCABULARY)): void {
  const id = randomUUID();
  counts.added += run('add-word', { id, english, german, machine, now: Date.now() });
}

function changeWord(id: string, german: string): void {
  counts.changed += run('change-word', { id, german, now: Date.now() });
}

function forgetWord(id: string): void {
  counts.forgotten += run('forget-word', { id, now: Date.now() });
}

function eraseWord(id: string): void {
  counts.erased += run('erase-word', { id });
}

/** An answer is of any type: SQLite keeps what it is given, and so must whoever copies it. */
function review(id: string): void {
  const answer = pick([null, 1n, 1, 0.1, 'Straße', Buffer.from([0, 255, 10])]);
  counts.reviewed += run('review', { machine, id, answer, now: new Date().toISOString() });
}

function learn(count: number): void {
  database.transaction(() => {
    for (let done = 0; done < count; done += 1) {
      addWord(VOCABULARY[done % VOCABULARY.length]);
      const id = wordOf('own-word');
      if (id !== null) review(id);
    }
  })();
}

/** One thing that a user does now and then; most often a new word. */
function actAtRandom(): void {
  const own = wordOf('own-word');
  const any = wordOf('any-word');
  const chance = randomInt(100);
  if (chance < 40 || own === null || any === null) addWord();
  else if (chance < 60) changeWord(own, `${pick(VOCABULARY)[1]} ${randomInt(1000)}`);
  else if (chance < 85) review(any);
  else if (chance < 90) counts.unreviewed += run('erase-review', { machine, id: any });
  else if (chance < 95) forgetWord(own);
  else counts.searched += run('search', { machine, query: pick(VOCABULARY)[0] });
}

/** Ends with its input, so also when whoever started it is gone. */
async function work(): Promise<void> {
  let ended = false;
  process.stdin.resume().once('close', () => (ended = true));
  // Ctrl-C reaches the whole group; the demo ends this one in its own time.
  process.on('SIGINT', () => undefined);
  while (!ended) {
    actAtRandom();
    await pause(randomInt(MIN_PAUSE_MS, MAX_PAUSE_MS));
  }
}

const [first = '', second = ''] = words;
switch (deed) {
  case 'install':
    database.exec(sql('schema'));
    break;
  case 'learn':
    learn(Number(first));
    break;
  case 'change':
    changeWord(first, second);
    break;
  case 'forget':
    forgetWord(first);
    break;
  case 'erase':
    eraseWord(first);
    break;
  case 'work':
    await work();
    break;
  default:
    throw new RangeError(`Expected a deed, not "${deed}"`);
}
database.close();
console.log(JSON.stringify(counts));
