import { resolve } from 'node:path';
import { expect } from 'chai';
import type { CommandContext, CommandDefinition, ExitStatus } from '#src/cli/command.js';
import { SyncError } from '#src/errors.js';
import { scratchFile } from '../scratch.js';
import { runMain } from './captured.js';

type Action = (
  context: CommandContext,
  options: Record<string, unknown>,
  args: readonly string[],
) => ExitStatus;

/** The one command of these tests, `go [THING] --speed N`. */
function going(action: Action): CommandDefinition[] {
  return [
    {
      name: 'go',
      summary: 'go somewhere',
      configure: (command) => command.argument('[thing]').option('--speed <n>', 'how fast'),
      // a rejection, not a throw, as of any async function
      run: (context, options, args) =>
        new Promise((done) => done(action(context, options as Record<string, unknown>, args))),
    },
  ];
}

function failing(error: unknown): CommandDefinition[] {
  return going(() => {
    throw error;
  });
}

describe('The command line', () => {
  it('gives a command its options, arguments and the global options, before it or after it', async () => {
    const seen: unknown[] = [];
    const commands = going((context, options, args) => {
      seen.push([context.json, context.logLevel, context.configFile, options.speed, args]);
      return 0;
    });
    await runMain(
      ['go', 'x', '--speed', '3', '--json', '--log-level', 'debug', '--config', 'a.yaml'],
      commands,
    );
    await runMain(
      ['--json', '--log-level', 'debug', '--config', 'a.yaml', 'go', 'x', '--speed', '3'],
      commands,
    );
    await runMain(['go'], commands);
    const given = [true, 'debug', resolve('a.yaml'), '3', ['x']];
    expect(seen).to.deep.equal([given, given, [false, null, resolve('sync-config.yaml'), undefined, []]]);
  });

  it('ends with the status of the command', async () => {
    expect(
      (
        await runMain(
          ['go'],
          going(() => 1),
        )
      ).status,
    ).to.equal(1);
    expect(
      (
        await runMain(
          ['go'],
          going(() => 0),
        )
      ).status,
    ).to.equal(0);
  });

  it('keeps text and JSON apart', async () => {
    const commands = going((context) => {
      context.print('text');
      context.printJson({ json: true });
      context.logger.info('log');
      return 0;
    });
    const text = await runMain(['go'], commands);
    expect(text.stdout).to.equal('text\n');
    expect(text.stderr).to.contain('log');
    const json = await runMain(['go', '--json'], commands);
    expect(JSON.parse(json.stdout)).to.deep.equal({ json: true });
    expect(json.stderr).to.contain('log');
  });

  describe('reports an error', () => {
    const known = new SyncError('port_taken', 'port 8091 is taken', { hint: 'Choose another.' });

    it('as one line with its hint', async () => {
      const { status, stdout, stderr } = await runMain(['go'], failing(known));
      expect(status).to.equal(1);
      expect(stdout).to.equal('');
      expect(stderr).to.equal('sqlite-p2p-sync: port 8091 is taken. Choose another.\n');
    });

    it('with the exit code that it carries', async () => {
      const wrongUsage = new SyncError('x', 'wrong', { exitCode: 2 });
      expect((await runMain(['go'], failing(wrongUsage))).status).to.equal(2);
    });

    it('also as JSON, unless the command printed its document already', async () => {
      const { stdout, stderr } = await runMain(['go', '--json'], failing(known));
      expect(JSON.parse(stdout)).to.deep.equal({
        error: { code: 'port_taken', message: 'port 8091 is taken', hint: 'Choose another.' },
      });
      expect(stderr).to.contain('port 8091 is taken');
      const late = await runMain(
        ['go', '--json'],
        going((context) => {
          context.printJson({});
          throw known;
        }),
      );
      expect(JSON.parse(late.stdout)).to.deep.equal({});
    });

    it('with its stack and cause at log level debug only', async () => {
      const error = new SyncError('a', 'outer', { cause: new Error('inner') });
      expect((await runMain(['go'], failing(error))).stderr).not.to.contain('at ');
      const { stderr } = await runMain(['go', '--log-level', 'debug'], failing(error));
      expect(stderr).to.contain('main.test.ts').and.to.contain('Caused by: Error: inner');
    });

    it('with no line in its stack that only its message says', async () => {
      const forged = '\n2030-01-01T00:00:00.000Z error forged\u001b[31m';
      const error = new SyncError('a', `outer${forged}`, { cause: new Error(`inner${forged}`) });
      const { stderr } = await runMain(['go', '--log-level', 'debug'], failing(error));
      expect(stderr).not.to.match(/^2030/m).and.not.to.contain('\u001b');
      expect(stderr).to.match(/^Caused by: Error: inner\\n2030/m);
    });

    it("of a programmer's making as one line too", async () => {
      const { status, stderr } = await runMain(['go'], failing(new TypeError('x is undefined')));
      expect(status).to.equal(1);
      expect(stderr).to.match(
        /^sqlite-p2p-sync: unexpected error: x is undefined\. .*--log-level debug.*\n$/,
      );
      expect((await runMain(['go'], failing('thrown text'))).stderr).to.contain('thrown text');
    });

    it('on one line whatever its message holds', async () => {
      const { stderr } = await runMain(['go'], failing(new SyncError('a', 'two\nlines \u001b[31mred')));
      expect(stderr).to.equal('sqlite-p2p-sync: two\\nlines \\u001b[31mred.\n');
    });
  });

  describe('answers wrong usage with exit code 2', () => {
    const commands = going(() => 0);

    it('and suggests the command or option that was meant', async () => {
      const command = await runMain(['gi'], [...commands, { ...commands[0]!, name: 'stop' }]);
      expect(command.status).to.equal(2);
      expect(command.stderr).to.equal("sqlite-p2p-sync: unknown command 'gi'. Did you mean go?\n");
      const option = await runMain(['go', '--sped', '3'], commands);
      expect(option.status).to.equal(2);
      expect(option.stderr).to.equal("sqlite-p2p-sync: unknown option '--sped'. Did you mean --speed?\n");
    });

    it('for a missing value, a wrong choice, too many arguments and nothing at all', async () => {
      for (const argv of [
        ['go', '--speed'],
        ['go', '--log-level', 'loud'],
        ['go', 'a', 'b'],
        ['--config'],
        [],
      ]) {
        const { status, stderr } = await runMain(argv, commands);
        expect(status, argv.join(' ')).to.equal(2);
        expect(stderr, argv.join(' ')).not.to.equal('');
      }
    });

    it('also as JSON', async () => {
      const { stdout } = await runMain(['go', '--json', '--sped'], commands);
      expect(JSON.parse(stdout)).to.have.nested.property('error.code', 'usage');
    });
  });

  it('shows help and version on stdout', async () => {
    const help = await runMain(['--help']);
    expect(help.status).to.equal(0);
    expect(help.stdout).to.contain('init').and.to.contain('keygen');
    const commandHelp = await runMain(['init', '--help']);
    expect(commandHelp.status).to.equal(0);
    expect(commandHelp.stdout).to.contain('--db <file>').and.to.contain('--config').and.to.contain('--json');
    const version = await runMain(['--version']);
    expect(version.status).to.equal(0);
    expect(version.stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('reads the configuration that --config names', async () => {
    const file = scratchFile('node: { id: desktop }\ndatabase: { path: x }\n');
    const commands = going((context) => {
      context.print(context.loadConfig().node.id);
      return 0;
    });
    expect((await runMain(['go', '--config', file], commands)).stdout).to.equal('desktop\n');
    const missing = await runMain(['go', '--config', `${file}.none`], commands);
    expect(missing.status).to.equal(2);
    expect(missing.stderr).to.contain('there is no configuration file').and.to.contain('init');
  });

  it('logs a daemon to stdout as its configuration says, to stderr with --json, and --log-level wins', async () => {
    const file = scratchFile('node: { id: a }\ndatabase: { path: x }\nlog: { level: error, format: json }\n');
    const commands = going((context) => {
      const logger = context.openLog(context.loadConfig());
      logger.info('started', { port: 8091 });
      return 0;
    });
    expect((await runMain(['go', '--config', file], commands)).stdout).to.equal('');
    const info = await runMain(['go', '--config', file, '--log-level', 'info'], commands);
    expect(JSON.parse(info.stdout)).to.include({ level: 'info', message: 'started', port: 8091 });
    const json = await runMain(['go', '--config', file, '--log-level', 'info', '--json'], commands);
    expect(json.stdout).to.equal('');
    expect(json.stderr).to.contain('started');
  });
});
