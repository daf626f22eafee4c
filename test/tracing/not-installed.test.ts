import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { packageRoot } from '#src/package-root.js';
import { Program } from '../replication/program.js';
import { scratchFile, scratchFolder } from '../scratch.js';
import { createDatabaseFile } from '../stand-ins/database-file.js';

describe('Without the packages of OpenTelemetry', function () {
  this.timeout(60_000);

  /** The command line as it is where optional dependencies were left out. */
  function withoutOptional(): string {
    const folder = scratchFolder();
    for (const part of ['bin', 'dist', 'sql', 'migrations', 'package.json']) {
      cpSync(join(packageRoot, part), join(folder, part), { recursive: true });
    }
    mkdirSync(join(folder, 'node_modules'));
    const installed = join(packageRoot, 'node_modules');
    for (const name of readdirSync(installed).filter((each) => each !== '@opentelemetry')) {
      symlinkSync(join(installed, name), join(folder, 'node_modules', name));
    }
    return join(folder, 'bin', 'sqlite-p2p-sync.js');
  }

  async function sync(bin: string, config: string) {
    const program = new Program([process.execPath, bin, 'sync', '--config', config]);
    program.closeInput();
    const { code } = await program.ended;
    return { code, stderr: program.errors };
  }

  it('a replica says what to install where tracing is configured, and lacks nothing where it is not', async () => {
    const bin = withoutOptional();
    const { file, app } = await createDatabaseFile('ann');
    app.close();
    expect(await sync(bin, file)).to.include({ code: 0 });
    const plain = readFileSync(file, 'utf8').replace('./app.db', app.name);
    const { code, stderr } = await sync(
      bin,
      scratchFile(`${plain}tracing: { otlp_endpoint: http://127.0.0.1:1 }\n`),
    );
    expect(code).to.equal(1);
    expect(stderr).to.contain('tracing.otlp_endpoint').and.to.contain("'@opentelemetry/");
    expect(stderr).to.contain('npm install @opentelemetry/api @opentelemetry/exporter-trace-otlp-http');
    expect(stderr).to.not.contain('    at ');
  });
});
