import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.js';
import type { Say } from './interleave.js';
import { startScript, type Asked } from './programs.js';

/** Where the peers are installed, and the Node that has the session extension. */
export interface InstalledPeers {
  readonly node24: string;
  /** Name to version. */
  readonly versions: Readonly<Record<string, string>>;
}

/** A peer's program in peers/, and whether it needs the newer Node. */
const PROGRAMS = {
  crsqlite: false,
  'pouchdb-server': false,
  pouchdb: false,
  'pouchdb-live': false,
  session: true,
} as const;

const FOLDER = fileURLToPath(new URL('peers', import.meta.url));

/** Installs the peers unless they are there. A string says why that was not possible. */
export function installPeers(say: Say): InstalledPeers | string {
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const installed = (name: string) => join(FOLDER, 'node_modules', name, 'package.json');
  if (!Object.keys(dependencies).every((name) => existsSync(installed(name)))) {
    say('installing the peers, in test/bench/peers');
    const args = ['install', '--prefix', FOLDER, '--no-package-lock', '--no-audit', '--no-fund'];
    const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8', cwd: FOLDER });
    if (status !== 0) return `the peers can't be installed: ${stderr.trim().split('\n').at(-1) ?? ''}`;
  }
  const node24 = join(FOLDER, 'node_modules', 'node', 'bin', 'node');
  const { status, stdout } = spawnSync(node24, ['--version'], { encoding: 'utf8' });
  if (status !== 0) return 'the peers are installed, but their Node does not run';
  return { node24, versions: { ...dependencies, node: stdout.trim() } };
}

/** Work with a peer's program, which ends with it; or the reason why it can't be compared with. */
export async function withPeer<T>(
  { peers }: Bench,
  name: keyof typeof PROGRAMS,
  args: readonly string[],
  work: (program: Asked & { readonly first: string }) => Promise<T>,
): Promise<T | string> {
  if (typeof peers === 'string') return peers;
  const program = await startScript(`peers/${name}.mjs`, args, PROGRAMS[name] ? peers.node24 : undefined);
  try {
    return await work(program);
  } finally {
    await program.end();
  }
}
