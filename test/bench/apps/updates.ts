/**
 * An application that works through its rows again and again, in transactions of a thousand, without a pause. Reads lines
 * "FILE ROWS ROUNDS", answers "done" when each of so many rows was changed so often.
 */
import { createInterface } from 'node:readline';
import { changeWords, withApp } from '../app.js';

const ROWS_PER_TRANSACTION = 1000;

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [file = '', rows, rounds] = line.split(' ');
  update(file, Number(rows), Number(rounds));
  console.log('done');
}

function update(file: string, rows: number, rounds: number): void {
  withApp(file, (database) => {
    for (let round = 1; round <= rounds; round += 1) {
      for (let first = 0; first < rows; first += ROWS_PER_TRANSACTION) {
        const count = Math.min(ROWS_PER_TRANSACTION, rows - first);
        const numbers = Array.from({ length: count }, (_, at) => first + at);
        changeWords(database, numbers, round);
      }
    }
  });
}
