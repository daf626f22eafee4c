import { CommanderError } from 'commander';
import { environmentError } from '../database/open.js';
import { messageOf, SyncError } from '../errors.js';
import { escapeControls } from '../log/escape.js';
import type { ExitStatus } from './command.js';
import type { Streams } from './streams.js';

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly exitCode: ExitStatus;
}

/** What went wrong, whoever threw it: an operating error, a usage error of commander, or a programmer's error. */
export function failureOf(error: unknown): Failure {
  if (error instanceof SyncError) {
    return { code: error.code, message: error.message, hint: error.hint ?? null, exitCode: error.exitCode };
  }
  if (error instanceof CommanderError) return usageFailure(error);
  const environment = environmentError('the database', error);
  if (environment !== null) return failureOf(environment);
  return {
    code: 'unexpected',
    message: `unexpected error: ${messageOf(error)}`,
    hint: 'Run it again with --log-level debug to see where it came from.',
    exitCode: 1,
  };
}

/** Commander says "error: unknown command 'strat'\n(Did you mean start?)". */
function usageFailure(error: CommanderError): Failure {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /^\(Did you mean (.+)\?\)$/.exec(rest.join(' ').trim());
  const hint = suggestion === null ? 'See sqlite-p2p-sync --help.' : `Did you mean ${suggestion[1]}?`;
  return { code: 'usage', message: first, hint, exitCode: 2 };
}

/** One line on stderr; with `json` also a document on stdout; the stack and its causes only where asked for. */
export function reportFailure(
  error: unknown,
  streams: Streams,
  options: { readonly json: boolean; readonly stack: boolean },
): ExitStatus {
  const { code, message, hint, exitCode } = failureOf(error);
  const line = [message.replace(/[.:]?\s*$/, '.'), ...(hint === null ? [] : [hint])].join(' ');
  streams.stderr.write(`sqlite-p2p-sync: ${escapeControls(line)}\n`);
  if (options.stack) streams.stderr.write(`${stackOf(error)}\n`);
  if (options.json) {
    streams.stdout.write(`${JSON.stringify({ error: { code, message, hint } }, null, 2)}\n`);
  }
  return exitCode;
}

/** Its message may be a peer's: only what Node itself says of the stack stands on lines of its own. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return escapeControls(String(error));
  const { message, stack = message } = error;
  const lines = stack.replace(message, () => escapeControls(message)).split('\n');
  const text = lines.map(escapeControls).join('\n');
  return error.cause === undefined ? text : `${text}\nCaused by: ${stackOf(error.cause)}`;
}
