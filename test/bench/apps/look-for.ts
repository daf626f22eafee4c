/**
 * A program that waits for a row: lines "FILE NUMBER", answered with the time when the row was there, in ms of the
 * machine's monotonic clock. It looks each ms, so as not to take the machine from who has to bring it.
 */
import { createInterface } from 'node:readline';
import type { Statement } from 'better-sqlite3';
import { openApp } from '../app.js';
import { word } from '../workload.js';

const LOOK_MS = 1;

const opened = new Map<string, Statement>();

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [file = '', number = ''] = line.split(' ');
  const find = opened.get(file) ?? openApp(file).prepare('SELECT 1 FROM words WHERE id = ?');
  opened.set(file, find);
  const [id] = word(Number(number));
  while (find.get(id) === undefined) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  console.log(Number(process.hrtime.bigint()) / 1e6);
}
