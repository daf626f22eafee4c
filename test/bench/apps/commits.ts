/**
 * An application that commits one new row after the other, with a pause between, as a server does. Reads lines:
 * "go FILE FIRST" starts, "stop" answers with the latency of every commit in ms, as JSON.
 */
import { createInterface } from 'node:readline';
import { openApp } from '../app.js';
import { word } from '../workload.js';

const PAUSE_MS = 1;

let running = false;
let loop: Promise<number[]> = Promise.resolve([]);

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [command, file = '', first = ''] = line.split(' ');
  if (command === 'go') {
    running = true;
    loop = commit(file, Number(first));
    console.log('going');
  } else {
    running = false;
    console.log(JSON.stringify(await loop));
  }
}

async function commit(file: string, first: number): Promise<number[]> {
  const database = openApp(file);
  const insert = database.prepare('INSERT INTO words VALUES (?, ?, ?, ?, ?, ?)');
  const latencies: number[] = [];
  for (let number = first; running; number += 1) {
    const row = word(number);
    const started = performance.now();
    insert.run(row);
    latencies.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  database.close();
  return latencies;
}
