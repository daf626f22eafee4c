/** Exit codes of the command line (docs/operations.md): the operation failed, or it was asked for wrongly. */
export type ExitCode = 1 | 2;

export interface SyncErrorOptions {
  /** What to do next, as a full sentence. */
  hint?: string;
  cause?: unknown;
  exitCode?: ExitCode;
}

/**
 * The one error family: an operating error that a person can act on. `code` is stable and lower_snake_case,
 * `message` says what is wrong and where, `hint` what to do next.
 */
export class SyncError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, options: SyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SyncError';
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Whether it is an operating error of this code. */
export function isCode(error: unknown, code: string): error is SyncError {
  return error instanceof SyncError && error.code === code;
}

/** Whether the operating system refused a call of ours. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
