import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.js';
import { requireSuccess, type Child, type Processes } from './processes.js';

const WRITER = fileURLToPath(new URL('writer.js', import.meta.url));

/** What an application says it did. */
export interface Deeds {
  readonly added: number;
  readonly changed: number;
  readonly forgotten: number;
  readonly erased: number;
  readonly reviewed: number;
  readonly unreviewed: number;
  readonly searched: number;
}

/** An application that writes until it is stopped. */
export interface App {
  readonly process: Child;
  stop(): Promise<Deeds>;
}

/** One visit of a user: starts the application, lets it do one thing, ends it. */
export async function useApp(processes: Processes, machine: Machine, ...deed: string[]): Promise<Deeds> {
  const name = `the application on ${machine.name}`;
  return JSON.parse(await processes.run(name, WRITER, [machine.database, machine.name, ...deed])) as Deeds;
}

export function startApp(processes: Processes, machine: Machine): App {
  const name = `the application on ${machine.name}`;
  const process = processes.start(name, WRITER, [machine.database, machine.name, 'work']);
  return {
    process,
    async stop() {
      process.closeInput();
      return JSON.parse(requireSuccess(name, await process.ended)) as Deeds;
    },
  };
}
