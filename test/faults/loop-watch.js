// Loaded into a daemon (NODE_OPTIONS): on SIGUSR2 it writes how long its event loop was blocked at most since it was
// asked before, in ms, to the file that TEST_LOOP_FILE names.
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MS = 1;
const file = process.env.TEST_LOOP_FILE;

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('SIGUSR2', () => {
    writeFileSync(`${file}-new`, String(delay.max / 1e6));
    renameSync(`${file}-new`, file);
    delay.reset();
  });
}
