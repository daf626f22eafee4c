import { copyFileSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { statement } from '../sql/template.js';
import { startApp, useApp } from './app.js';
import { adopt } from './command-line.js';
import { startDaemon } from './daemon.js';
import { addressOf, type Machine } from './machine.js';
import { quietAmong } from './quiet.js';
import { addDeeds, machinesOf, watchFor, watchUntil, type Stage } from './stage.js';

/** Words that every machine has from the start, and those that it added before anyone thought of replication. */
const COURSE_WORDS = 40;
const LEGACY_WORDS = { desktop: 20, macbook: 10, laptop: 30 };

/** How long the audience watches each scene. */
const TOGETHER_MS = 4000;
const APART_MS = 5000;
const REUNITED_MS = 3000;
const JOINED_MS = 4000;

export interface Word {
  readonly id: string;
  readonly english: string;
}

/** What was done on purpose, for the proof to look for. */
export interface Plot {
  /** Edited on macbook while it was away, and after that on desktop. */
  readonly disputed: Word;
  readonly disputedLoser: string;
  readonly disputedWinner: string;
  /** Edited on laptop before it joined. */
  readonly legacyEdit: Word;
  readonly legacyWinner: string;
  readonly softDeleted: Word;
  readonly hardDeleted: Word;
}

/** Plays it to the end: all applications and daemons have ended in order, all replicas had come to rest before. */
export async function play(stage: Stage): Promise<Plot> {
  const plot = await installApplications(stage);
  await joinTwo(stage);
  await writeTogether(stage);
  await writeApart(stage, plot);
  await reunite(stage);
  await joinLate(stage);
  await comeToRest(stage);
  return plot;
}

async function installApplications(stage: Stage): Promise<Plot> {
  const { desktop, macbook, laptop, screen } = stage;
  screen.tell(
    'Three machines, each with a SQLite file of the same vocabulary trainer. Nothing replicates yet.',
  );
  await useApp(stage.processes, desktop, 'install');
  await act(stage, { ...desktop, name: 'course' }, 'learn', String(COURSE_WORDS));
  for (const { database } of [macbook, laptop]) copyFileSync(desktop.database, database);
  const plot = plotOf(desktop);
  await Promise.all([
    act(stage, desktop, 'learn', String(LEGACY_WORDS.desktop)),
    act(stage, macbook, 'learn', String(LEGACY_WORDS.macbook)),
    act(stage, laptop, 'learn', String(LEGACY_WORDS.laptop)),
  ]);
  await act(stage, laptop, 'change', plot.legacyEdit.id, plot.legacyWinner);
  return plot;
}

function plotOf(machine: Machine): Plot {
  const database = new BetterSqlite3(machine.database, { readonly: true });
  const words = database
    .prepare<unknown[], Word>(statement('demo/course-words'))
    .all({ machine: 'course', limit: 4 });
  database.close();
  const [disputed, legacyEdit, softDeleted, hardDeleted] = words as [Word, Word, Word, Word];
  return {
    disputed,
    disputedLoser: 'by macbook, offline',
    disputedWinner: 'by desktop, later',
    legacyEdit,
    legacyWinner: 'by laptop, before it joined',
    softDeleted,
    hardDeleted,
  };
}

/** A user does one thing with the application of a machine. */
async function act(stage: Stage, machine: Machine, ...deed: string[]): Promise<void> {
  addDeeds(stage, machine, await useApp(stage.processes, machine, ...deed));
}

async function joinTwo(stage: Stage): Promise<void> {
  const { desktop, macbook, screen } = stage;
  screen.tell('desktop and macbook become replicas: init, migrate, backfill.');
  const [found] = await Promise.all([makeReplica(stage, desktop), makeReplica(stage, macbook)]);
  screen.print(found.split('\nWrote ')[0]?.trimEnd() ?? '');
  await Promise.all([start(stage, desktop), start(stage, macbook)]);
  await watchUntil(stage, quietAmong([desktop.name, macbook.name]));
  screen.tell('They have exchanged what each had before.');
}

function makeReplica(stage: Stage, machine: Machine): Promise<string> {
  const peers = machinesOf(stage).filter((peer) => peer !== machine);
  return adopt(stage.processes, machine, peers);
}

async function start(stage: Stage, machine: Machine): Promise<void> {
  const pulledBefore = stage.daemons.get(machine.name)?.pulled ?? 0;
  const daemon = await startDaemon(stage.processes, machine, pulledBefore);
  stage.daemons.set(machine.name, daemon);
  stage.screen.tell(`${machine.name} is online: process ${daemon.process.pid}, ${addressOf(machine)}.`);
}

async function writeTogether(stage: Stage): Promise<void> {
  stage.screen.tell(
    'The applications write at all three machines; each is a process that knows SQLite only.',
  );
  for (const machine of machinesOf(stage)) stage.apps.set(machine.name, startApp(stage.processes, machine));
  await watchFor(stage, TOGETHER_MS);
}

async function writeApart(stage: Stage, plot: Plot): Promise<void> {
  const { desktop, macbook, screen } = stage;
  await stage.daemons.get(macbook.name)?.stop();
  screen.tell('macbook goes offline. Its application goes on writing.');
  await watchFor(stage, APART_MS / 2);

  const { disputed, softDeleted, hardDeleted } = plot;
  await act(stage, macbook, 'change', disputed.id, plot.disputedLoser);
  await act(stage, desktop, 'change', disputed.id, plot.disputedWinner);
  screen.tell(`A conflict: "${disputed.english}" is edited on macbook, and then on desktop.`);
  await act(stage, desktop, 'forget', softDeleted.id);
  screen.tell(`A soft delete on desktop: "${softDeleted.english}".`);
  await act(stage, macbook, 'erase', hardDeleted.id);
  screen.tell(`A hard delete on macbook: "${hardDeleted.english}".`);
  await watchFor(stage, APART_MS / 2);
}

async function reunite(stage: Stage): Promise<void> {
  stage.screen.tell('macbook comes back.');
  await start(stage, stage.macbook);
  await watchFor(stage, REUNITED_MS);
}

async function joinLate(stage: Stage): Promise<void> {
  const { laptop, screen } = stage;
  screen.tell(
    'laptop joins late, with rows of its own, while its application writes: init, migrate, backfill.',
  );
  await makeReplica(stage, laptop);
  await start(stage, laptop);
  await watchFor(stage, JOINED_MS);
}

async function comeToRest(stage: Stage): Promise<void> {
  const machines = machinesOf(stage);
  await Promise.all(
    machines.map(async (machine) => {
      const app = stage.apps.get(machine.name);
      stage.apps.delete(machine.name);
      if (app !== undefined) addDeeds(stage, machine, await app.stop());
    }),
  );
  stage.screen.tell('The applications have ended. Waiting until every replica has everything.');
  await watchUntil(stage, quietAmong(machines.map(({ name }) => name)));
  await Promise.all([...stage.daemons.values()].map((daemon) => daemon.stop()));
  stage.screen.keep();
  stage.screen.tell('The daemons have ended. Now the three files are compared.');
}
