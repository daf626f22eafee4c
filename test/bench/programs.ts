import { fileURLToPath } from 'node:url';
import { Program } from '../replication/program.js';

/** A program that needs longer than this for one answer has failed. */
const MAX_ANSWER_MS = 20 * 60_000;

/** A program that is asked by a line and answers with a line. */
export interface Asked {
  ask(line: string): Promise<string>;
  end(): Promise<void>;
}

/** Starts a script of this folder, e.g. `floor/client.ts`, and waits for its first line. */
export async function startScript(
  script: string,
  args: readonly string[],
  node = process.execPath,
): Promise<Asked & { readonly first: string }> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const loader = path.endsWith('.ts') ? ['--import=tsx'] : [];
  return asked(new Program([node, ...loader, path, ...args]));
}

/** Starts a Python script of this folder. */
export async function startPython(script: string): Promise<Asked & { readonly first: string }> {
  return asked(new Program(['python3', fileURLToPath(new URL(script, import.meta.url))]));
}

async function asked(program: Program): Promise<Asked & { readonly first: string }> {
  const answer = (from: number) => program.line(() => true, 'answer', MAX_ANSWER_MS, from);
  return {
    first: await answer(0),
    ask(line) {
      const from = program.lines.length;
      program.write(`${line}\n`);
      return answer(from);
    },
    async end() {
      await program.end('SIGTERM');
    },
  };
}

/** Starts the floor's two processes on a database that holds the rows. */
export async function startFloor(source: string) {
  const server = await startScript('floor/server.ts', [source]);
  const client = await startScript('floor/client.ts', [server.first]);
  return {
    /** Copies all rows to a new file, in pages; resolves to ms. */
    pull: async (file: string, limit: number) => Number(await client.ask(`${file} ${limit}`)),
    async end() {
      await client.end();
      await server.end();
    },
  };
}
