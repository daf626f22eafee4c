import { expect } from 'chai';
import { commandNames, commandsFor } from '#src/cli/commands.js';
import { allCommands } from './all-commands.js';

describe('the commands that are loaded', () => {
  const namesFor = async (...argv: string[]) => (await commandsFor(argv)).map(({ name }) => name);

  it('are those that the command line names', async () => {
    expect(await namesFor('--json', 'status')).to.deep.equal(['status']);
    expect(await namesFor('trigger', 'sync')).to.deep.equal(['sync', 'trigger']);
  });

  it('are all where it names none, or asks for help', async () => {
    for (const argv of [[], ['--help'], ['statsu'], ['help'], ['help', 'sync']]) {
      expect(await namesFor(...argv), argv.join(' ')).to.deep.equal(commandNames);
    }
  });

  it('have the names under which they are loaded, and are those that tests run', () => {
    expect(allCommands.map(({ name }) => name)).to.deep.equal(commandNames);
  });
});
