import { join } from 'node:path';

/** One of the machines that the demo plays: here a database file, a configuration and a port on loopback. */
export interface Machine {
  readonly name: string;
  readonly database: string;
  readonly config: string;
  /** What its daemon writes. */
  readonly log: string;
  readonly port: number;
}

export function machineIn(folder: string, name: string, port: number): Machine {
  return {
    name,
    database: join(folder, `${name}.db`),
    config: join(folder, `${name}.yaml`),
    log: join(folder, `${name}.log`),
    port,
  };
}

export function addressOf({ port }: Machine): string {
  return `http://127.0.0.1:${port}`;
}
