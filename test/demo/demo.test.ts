import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { packageRoot } from '#src/package-root.js';

/** Its own deadline is 120 s. */
const DEMO_TIMEOUT_MS = 150_000;

describe('the demo', function () {
  this.timeout(DEMO_TIMEOUT_MS);
  let folder: string;
  let demo: ChildProcess | undefined;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'demo-test-'))));
  afterEach(() => {
    if (demo?.exitCode === null) demo.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs what `npm run demo` runs; it makes its files in `folder`. */
  function start(onLine: (line: string) => void = () => undefined) {
    const { scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      scripts: { demo: string };
    };
    const [program, script = ''] = scripts.demo.split(' ');
    expect(program).to.equal('node');
    const child = spawn(process.execPath, [join(packageRoot, script)], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    demo = child;
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      onLine(line);
    });
    return { child, lines, ended: once(child, 'close') as Promise<[number | null]> };
  }

  it('proves three replicas equal, after offline time, a conflict, both deletes and a late joiner', async () => {
    const { lines, ended } = start();
    const [code] = await ended;
    const text = lines.join('\n');
    expect(code, text).to.equal(0);
    for (const event of [
      /macbook goes offline/,
      /A conflict: /,
      /A soft delete on desktop/,
      /A hard delete on macbook/,
      /laptop joins late/,
      /proven {2}\d{3,} words and \d{3,} reviews are equal in all three, value and type of every column/,
      /proven {2}no word is lost/,
      /"by desktop, later" of desktop overruled "by macbook, offline" of macbook; noted on /,
      /searches, which is not replicated: laptop has its own \d+ rows and no others/,
      /All three replicas are equal\.$/,
    ]) {
      expect(text).to.match(event);
    }
    expect(text).not.to.include('FAILED');
    const hashes = [...text.matchAll(/^ {2}(?:desktop|macbook|laptop) +([0-9a-f]{64})$/gm)].map(
      ([, hash]) => hash,
    );
    expect(hashes).to.have.length(3);
    expect(new Set(hashes).size).to.equal(1);
    expect(readdirSync(folder), 'files left behind').to.deep.equal([]);
  });

  it('ends with 1 when it is interrupted, and leaves neither process nor file behind', async () => {
    const { child, lines, ended } = start((line) => {
      if (line.includes('The applications write')) child.kill('SIGTERM');
    });
    const [code] = await ended;
    expect(code).to.equal(1);
    const pids = lines.flatMap((line) => /online: process (\d+)/.exec(line)?.[1] ?? []).map(Number);
    expect(pids).to.have.length(2);
    for (const pid of pids) expect(() => process.kill(pid, 0), `process ${pid}`).to.throw('ESRCH');
    expect(readdirSync(folder), 'files left behind').to.deep.equal([]);
  });
});
