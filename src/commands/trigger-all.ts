import type { CommandDefinition } from '../cli/command.js';
import { trigger } from './trigger.js';

export const command: CommandDefinition = {
  name: 'trigger-all',
  summary: 'ask the running daemon to pull from every peer now',
  configure: () => undefined,
  run: (context) => trigger(context, undefined),
};
