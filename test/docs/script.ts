import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePorts } from '../replication/group.js';
import { blocksOf, documentAt, PROJECT } from './documents.js';

/** The blocks of a document that are marked so, one after the other. */
export function scriptOf(path: string, info = 'sh run'): string {
  const blocks = blocksOf(documentAt(path)).filter((block) => block.info === info);
  if (blocks.length === 0) throw new Error(`Expected a block marked ${info} in ${path}`);
  return blocks.map(({ text }) => text).join('\n');
}

/** The ports of the text may be taken on this machine: the same text with free ones, each always by the same. */
export async function withFreePorts(script: string): Promise<string> {
  const named = [...new Set(script.match(/\b809\d\b/g))];
  const free = await freePorts(named.length);
  return script.replace(/\b809\d\b/g, (port) => String(free[named.indexOf(port)]));
}

export interface Ran {
  readonly code: number | null;
  /** Of stdout and stderr. */
  readonly output: string;
}

/** A script that is not done by then hangs. */
const MAX_RUN_MS = 80_000;

/** A folder as a reader has it: `sqlite-p2p-sync` on the path, and the two packages that examples import. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'as-documented-'));
  readonly #bin = join(this.folder, '.bin');

  /** `from` is a folder of the project whose files a reader has before him. */
  constructor(from: string | null = null) {
    if (from !== null) cpSync(join(PROJECT, from), this.folder, { recursive: true });
    mkdirSync(this.#bin);
    symlinkSync(join(PROJECT, 'bin', 'sqlite-p2p-sync.js'), join(this.#bin, 'sqlite-p2p-sync'));
    const modules = join(this.folder, 'node_modules');
    mkdirSync(modules);
    symlinkSync(PROJECT, join(modules, 'sqlite-p2p-sync'));
    symlinkSync(join(PROJECT, 'node_modules', 'better-sqlite3'), join(modules, 'better-sqlite3'));
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** Runs a script by bash to its end; whatever it leaves running is ended. */
  async run(script: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: this.folder,
      // a process group of its own, with its daemons in it
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: `${this.#bin}${delimiter}${process.env.PATH ?? ''}`,
        SYNC_API_KEY: '',
        ...env,
      },
    });
    let output = '';
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const hung = setTimeout(() => {
      output += `\nnot done after ${MAX_RUN_MS} ms`;
      endGroup(shell.pid);
    }, MAX_RUN_MS);
    try {
      const [code] = (await once(shell, 'exit')) as [number | null];
      return { code, output };
    } finally {
      clearTimeout(hung);
      endGroup(shell.pid);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // all of it has ended by itself
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
