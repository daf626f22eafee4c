import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { packageRoot } from '#src/package-root.js';

const SHIM = join(packageRoot, 'bin', 'sqlite-p2p-sync.js');

function run(...argv: string[]) {
  return spawnSync(process.execPath, [SHIM, ...argv], { encoding: 'utf8' });
}

describe('The process', () => {
  it('ends with the exit code of its command line', () => {
    expect(run('--version').status).to.equal(0);
    const wrong = run('keygenn');
    expect(wrong.status).to.equal(2);
    expect(wrong.stderr).to.equal("sqlite-p2p-sync: unknown command 'keygenn'. Did you mean keygen?\n");
  });

  it('prints a new key each time, long enough and without a character that needs quoting', () => {
    const first = run('keygen').stdout;
    expect(first).to.match(/^[A-Za-z0-9_][A-Za-z0-9_-]{42}\n$/);
    const { key } = JSON.parse(run('keygen', '--json').stdout) as { key: string };
    expect(key).to.have.length(43);
    expect(`${key}\n`).not.to.equal(first);
  });

  it('ends quietly when the reader of its output has gone', async () => {
    const child = spawn(process.execPath, [SHIM, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await once(child, 'close');
    expect(stderr).to.equal('');
  });
});
