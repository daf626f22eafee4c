/*
 * npm run demo: three replicas as three processes with three database files on loopback, and applications beside
 * them that know SQLite only. Ends with 0 only when the three are proven equal. --keep leaves the files behind, as does a failure.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, SyncError } from '../errors.js';
import { machineIn } from './machine.js';
import { freePorts } from './ports.js';
import { Processes } from './processes.js';
import { proofText, prove } from './proof.js';
import { createScreen, type Screen } from './screen.js';
import type { Stage } from './stage.js';
import { play } from './story.js';

/** A demo that takes longer has failed. */
const DEADLINE_MS = 120_000;
/** The code of an end that someone asked for. */
const INTERRUPTED = 'demo_interrupted';

async function run(folder: string, screen: Screen, processes: Processes): Promise<boolean> {
  const [desktop = 0, macbook = 0, laptop = 0] = await freePorts(3);
  const stage: Stage = {
    desktop: machineIn(folder, 'desktop', desktop),
    macbook: machineIn(folder, 'macbook', macbook),
    laptop: machineIn(folder, 'laptop', laptop),
    processes,
    screen,
    daemons: new Map(),
    apps: new Map(),
    deeds: new Map(),
    now: Date.now,
  };
  const proof = prove(stage, await play(stage));
  screen.print(proofText(proof));
  return proof.checks.every(({ holds }) => holds);
}

/** Rejects at the deadline, or when someone wants the demo to end. */
function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    const end = (code: string, reason: string) => {
      reject(new SyncError(code, reason));
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        end(INTERRUPTED, `ended by ${signal}`);
      });
    }
    setTimeout(end, DEADLINE_MS, 'demo_deadline', `not done after ${DEADLINE_MS / 1000} s`).unref();
  });
}

async function main(keepAlways: boolean): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-p2p-sync-demo-'));
  const screen = createScreen(process.stdout, Date.now);
  const processes = new Processes();
  let equal = false;
  let keep = keepAlways;
  try {
    equal = await Promise.race([run(folder, screen, processes), interruption()]);
    // what went wrong can be read in the files and the daemons' logs
    keep ||= !equal;
    screen.tell(equal ? 'All three replicas are equal.' : 'The replicas are not what they should be.');
  } catch (error) {
    keep ||= !(error instanceof SyncError && error.code === INTERRUPTED);
    screen.print(`demo: ${messageOf(error)}`);
  } finally {
    await processes.endAll();
  }
  if (keep) screen.print(`Databases, configurations and logs: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
  return equal ? 0 : 1;
}

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
process.exit(await main(values.keep));
