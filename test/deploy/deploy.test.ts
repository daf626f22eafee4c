import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { loadConfig } from '#src/config/load.js';
import { PROJECT } from '../docs/documents.js';
import { Workplace } from '../docs/script.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { startServing } from './serving.js';

const FOLDER = join(PROJECT, 'docs/deploy');
const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

describe('The systemd unit', () => {
  const name = 'sqlite-p2p-sync.service';
  const settings = textOf(name)
    .split('\n')
    .filter((line) => /^[A-Z]\w*=/.test(line));

  it('starts the daemon as no root, logs to the journal, and does not repeat a wrong configuration', () => {
    expect(settings).to.include.members([
      'StandardOutput=journal',
      'KillSignal=SIGTERM',
      'RestartPreventExitStatus=2',
      'NoNewPrivileges=true',
    ]);
    expect(settings.find((line) => line.startsWith('User='))).to.not.be.oneOf([undefined, 'User=root']);
    expect(settings.find((line) => line.startsWith('ExecStart='))).to.contain(
      'sqlite-p2p-sync start --config',
    );
  });

  it('passes systemd-analyze verify, where that is installed', () => {
    const run = spawnSync('systemd-analyze', ['verify', '--man=no', join(FOLDER, name)], {
      encoding: 'utf8',
    });
    if (run.error !== undefined) {
      console.warn('\n  MISSING: systemd-analyze, without which the unit is only read\n');
      return;
    }
    expect(run.stderr.split('\n').filter((line) => line.includes(name))).to.deep.equal([]);
    expect(run.status, run.stderr).to.equal(0);
  });
});

withPrograms(['python3'], () => {
  describe('The launchd agent', () => {
    it('is a property list that starts the daemon and keeps it alive', () => {
      const script = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))';
      const run = spawnSync('python3', ['-c', script, join(FOLDER, 'sqlite-p2p-sync.plist')], {
        encoding: 'utf8',
      });
      expect(run.status, run.stderr).to.equal(0);
      const agent = JSON.parse(run.stdout) as Record<string, unknown>;
      expect(agent).to.deep.include({ RunAtLoad: true, KeepAlive: { SuccessfulExit: false } });
      expect((agent.ProgramArguments as string[]).slice(1, 4)).to.deep.equal([
        'sqlite-p2p-sync',
        'start',
        '--config',
      ]);
    });
  });
});

describe('The container', function () {
  this.timeout(60_000);
  const lines = textOf('Dockerfile').replace(/\\\n/g, '').split('\n');
  const of = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

  it('copies only what there is, and all that the package is made of', () => {
    const copied = of('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(/\s+/).slice(0, -1));
    expect(copied.filter((path) => !existsSync(join(PROJECT, path)))).to.deep.equal([]);
    const fromBuild = of('COPY')
      .filter((line) => line.startsWith('--from=build'))
      .map((line) => line.split(/\s+/)[1]);
    const needed = ['bin', 'dist', 'sql', 'migrations', 'node_modules', 'package.json'];
    expect(fromBuild.sort()).to.deep.equal(needed.map((name) => `/app/${name}`).sort());
  });

  it('runs as no root, with a health check', () => {
    expect(of('USER')).to.deep.equal(['node']);
    expect(of('HEALTHCHECK')[0]).to.contain('/app/healthcheck.js');
    expect(of('ENTRYPOINT')).to.deep.equal(['["/app/entrypoint.sh"]']);
    accessSync(join(FOLDER, 'entrypoint.sh'), constants.X_OK);
  });

  it('prepares the database, and asks whether the feed is well', async () => {
    const place = new Workplace('docs/deploy');
    try {
      const { code, output } = await place.run(await startServing(place));
      expect(code, output).to.equal(0);
      expect(output).to.contain('healthy').and.to.contain('not healthy any more');
    } finally {
      place.remove();
    }
  });

  it('is composed of three replicas that keep to their volume', () => {
    const compose = parse(textOf('compose.yaml'), { merge: true }) as {
      services: Record<string, Record<string, unknown>>;
    };
    expect(Object.keys(compose.services)).to.deep.equal(['ann', 'bob', 'carol']);
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service).to.deep.include({ user: 'node', read_only: true, volumes: [`./${name}:/data`] });
    }
    const config = loadConfig(join(FOLDER, 'sync-config.yaml'), { SYNC_API_KEY: 'k'.repeat(32) });
    expect(config.peers.map((peer) => peer.name)).to.deep.equal(['bob', 'carol']);
  });
});

describe('The workflow', () => {
  interface Workflow {
    readonly jobs: {
      readonly test: {
        readonly strategy: { readonly matrix: { readonly node: string[] } };
        readonly steps: { readonly run?: string }[];
      };
    };
  }
  const { jobs } = parse(readFileSync(join(PROJECT, '.github/workflows/ci.yml'), 'utf8')) as Workflow;

  it('runs what decides whether a change lands, on every Node that the package is for', () => {
    expect(jobs.test.strategy.matrix.node).to.deep.equal(['20', '22', '24']);
    const script = '.ci/run';
    expect(jobs.test.steps.map(({ run }) => run)).to.include(script);
    accessSync(join(PROJECT, script), constants.X_OK);
    const { engines } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
      engines: { node: string };
    };
    expect(engines.node).to.match(/^>=20\./);
  });
});
