import { Command } from 'commander';
import type { CommandDefinition } from '../cli/command.js';
import { commandsFor } from '../cli/commands.js';
import { completionScript, SHELLS, type Completed, type Shell } from './completion-script.js';
import { usage } from './actions.js';

export const command: CommandDefinition = {
  name: 'completion',
  summary: 'print a script that completes commands and options in bash, zsh or fish',
  configure(command) {
    command.argument('<shell>', SHELLS.join(', '));
  },
  async run(context, _options, [shell = '']) {
    if (!isShell(shell)) {
      throw usage(`completion: "${shell}" is no shell that it knows`, `One of: ${SHELLS.join(', ')}.`);
    }
    const script = completionScript(shell, (await commandsFor([])).map(completedOf));
    context.print(script);
    context.printJson({ shell, script });
    return 0;
  },
};

function isShell(shell: string): shell is Shell {
  return (SHELLS as readonly string[]).includes(shell);
}

const ON_EVERY_COMMAND = ['--config', '--json', '--log-level', '--help'];

function completedOf(definition: CommandDefinition): Completed {
  const { name, summary } = definition;
  const declared = new Command(name);
  definition.configure(declared);
  const own = declared.options.flatMap(({ long }) => (long == null ? [] : [long]));
  return { name, summary, options: [...own, ...ON_EVERY_COMMAND] };
}
