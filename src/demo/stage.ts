import { setTimeout as pause } from 'node:timers/promises';
import { SyncError } from '../errors.js';
import type { App, Deeds } from './app.js';
import type { Daemon } from './daemon.js';
import type { Machine } from './machine.js';
import { observe, type Sight } from './observe.js';
import { requireSuccess, type Processes } from './processes.js';
import type { Screen } from './screen.js';

/** Between two looks at the machines. */
const LOOK_INTERVAL_MS = 300;

export const REPLICATED_TABLES = ['words', 'reviews'];

/** Where the story plays, and what is on it. */
export interface Stage {
  readonly desktop: Machine;
  readonly macbook: Machine;
  readonly laptop: Machine;
  readonly processes: Processes;
  readonly screen: Screen;
  /** By machine; an ended one stays until it is started again. */
  readonly daemons: Map<string, Daemon>;
  readonly apps: Map<string, App>;
  /** By machine, as the applications say. */
  readonly deeds: Map<string, Deeds[]>;
  /** ms since 1970. */
  readonly now: () => number;
}

export function machinesOf({ desktop, macbook, laptop }: Stage): Machine[] {
  return [desktop, macbook, laptop];
}

export function addDeeds({ deeds }: Stage, machine: Machine, done: Deeds): void {
  deeds.set(machine.name, [...(deeds.get(machine.name) ?? []), done]);
}

/** How often a deed was done, on one machine or on all. */
export function countDeeds({ deeds }: Stage, deed: keyof Deeds, machine?: Machine): number {
  const done = machine === undefined ? [...deeds.values()].flat() : (deeds.get(machine.name) ?? []);
  return done.reduce((sum, each) => sum + each[deed], 0);
}

/** Shows the machines until the condition holds for what was seen. The demo's deadline bounds it. */
export async function watchUntil(stage: Stage, condition: (sights: Sight[]) => boolean): Promise<void> {
  for (;;) {
    requireHealth(stage);
    const sights = await observe(machinesOf(stage), stage.daemons, REPLICATED_TABLES);
    stage.screen.show(sights);
    if (condition(sights)) return;
    await pause(LOOK_INTERVAL_MS);
  }
}

export function watchFor(stage: Stage, durationMs: number): Promise<void> {
  const endMs = stage.now() + durationMs;
  return watchUntil(stage, () => stage.now() >= endMs);
}

/** A daemon that was stopped ended with 0; nothing else may have ended. */
function requireHealth({ daemons, apps }: Stage): void {
  for (const { process } of daemons.values()) {
    if (process.ending !== null) requireSuccess(process.name, process.ending);
  }
  for (const { process } of apps.values()) {
    if (process.ending === null) continue;
    requireSuccess(process.name, process.ending);
    throw new SyncError('demo_command_failed', `${process.name} ended by itself`);
  }
}
