/**
 * An application that commits one row when it is told to: lines "FILE NUMBER", answered with the time right after the
 * commit, in ms of the machine's monotonic clock.
 */
import { createInterface } from 'node:readline';
import type { Database, Statement } from 'better-sqlite3';
import { openApp } from '../app.js';
import { word } from '../workload.js';

const opened = new Map<string, Statement>();

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [file = '', number = ''] = line.split(' ');
  const insert = opened.get(file) ?? prepare(openApp(file));
  opened.set(file, insert);
  insert.run(word(Number(number)));
  console.log(Number(process.hrtime.bigint()) / 1e6);
}

function prepare(database: Database): Statement {
  return database.prepare('INSERT INTO words VALUES (?, ?, ?, ?, ?, ?)');
}
