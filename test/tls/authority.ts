import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf, documentAt } from '../docs/documents.js';
import { scratchFolder } from '../scratch.js';

const LOOPBACK_NAMES = 'DNS:localhost,IP:127.0.0.1';

export interface CertificateOptions {
  /** As in subjectAltName. */
  readonly names?: string;
  /** Negative: it has expired. */
  readonly days?: number;
}

/** Paths of what one replica needs. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** An authority of its own, made by the commands of docs/security.md, as are its certificates. */
export class Authority {
  readonly folder = scratchFolder();
  #made = 0;

  constructor() {
    run(commands('ca'), this.folder);
  }

  get ca(): string {
    return join(this.folder, 'ca.crt');
  }

  /** Makes `node.crt`, `node.key` and `ca.crt` in `folder`, over what is there. */
  issueTo(folder: string, node: string, options: CertificateOptions = {}): CertificateFiles {
    const text = commands('node')
      .replace(/^NODE=.*$/m, `NODE=${node}`)
      .replace(/^NAMES=.*$/m, `NAMES="${options.names ?? LOOPBACK_NAMES}"`)
      .replace('-days 825', `-days ${options.days ?? 825}`);
    run(text, this.folder);
    for (const name of ['node.key', 'node.crt', 'ca.crt'])
      copyFileSync(join(this.folder, name), join(folder, name));
    return { cert: join(folder, 'node.crt'), key: join(folder, 'node.key'), ca: join(folder, 'ca.crt') };
  }

  issue(node: string, options: CertificateOptions = {}): CertificateFiles {
    this.#made += 1;
    const folder = join(this.folder, `${node}-${this.#made}`);
    mkdirSync(folder);
    return this.issueTo(folder, node, options);
  }
}

/** What the files hold, as Node's clients and servers take it. */
export function contentOf({ cert, key, ca }: CertificateFiles): { cert: Buffer; key: Buffer; ca: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) };
}

/** The shell commands of one block of docs/security.md. */
export function commands(block: string): string {
  const found = blocksOf(documentAt('docs/security.md')).find(({ info }) => info === `sh ${block}`);
  if (found === undefined) throw new Error(`Expected a block marked sh ${block} in docs/security.md`);
  return found.text;
}

export function run(script: string, cwd: string): string {
  return execFileSync('bash', ['-euc', script], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
