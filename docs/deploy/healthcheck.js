// Ends with 0 where the feed answers that its database can be used. HEALTH_URL for another address.
import { get } from 'node:http';

const url = process.env.HEALTH_URL ?? 'http://127.0.0.1:8091/health';
process.exitCode = 1;
get(url, { timeout: 4000 }, (answer) => {
  answer.resume();
  if (answer.statusCode === 200) process.exitCode = 0;
})
  .on('timeout', () => process.exit(1))
  .on('error', ({ message }) => console.error(message));
