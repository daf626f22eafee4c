import type { MessagePort, Worker } from 'node:worker_threads';
import { environmentError } from '../database/open.js';
import { SyncError, type ExitCode } from '../errors.js';

/** A call on its way to a thread. */
interface CallMessage {
  readonly id: number;
  readonly method: string;
  readonly arguments: readonly unknown[];
}

/** Its answer; an error travels as its parts, since a class does not cross. */
type AnswerMessage =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: ErrorParts };

interface ErrorParts {
  readonly message: string;
  readonly stack: string | undefined;
  readonly sync: {
    readonly code: string;
    readonly hint: string | undefined;
    readonly exitCode: ExitCode;
  } | null;
}

type Method = (...args: never[]) => Promise<unknown>;

/** Makes an object whose methods run in the thread; all open calls reject when the thread ends. */
export function callThread<Calls extends object>(
  worker: Worker,
  methods: readonly (keyof Calls & string)[],
): Calls {
  const open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let ended: Error | null = null;
  const end = (error: Error): void => {
    ended ??= error;
    for (const call of open.values()) call.reject(ended);
    open.clear();
  };
  worker.on('message', (answer: AnswerMessage) => {
    const call = open.get(answer.id);
    open.delete(answer.id);
    if ('error' in answer) call?.reject(toError(answer.error));
    else call?.resolve(answer.result);
  });
  worker.on('error', end);
  worker.on('exit', () => {
    end(
      new SyncError('thread_ended', 'The database thread has ended.', { hint: 'Start the replica again.' }),
    );
  });
  const call = (method: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended !== null) {
        reject(ended);
        return;
      }
      lastId += 1;
      open.set(lastId, { resolve, reject });
      const message: CallMessage = { id: lastId, method, arguments: args };
      worker.postMessage(message);
    });
  return Object.fromEntries(
    methods.map((method) => [method, (...args: unknown[]) => call(method, args)]),
  ) as Calls;
}

/**
 * Answers calls in the thread that has the database `file` open. The object that answers is made by the first call, so that a fault in making it is
 * that call's answer; a thread whose first call failed, or that was closed, ends.
 */
export function answerCalls(port: MessagePort, file: string, make: () => object): void {
  let made: Readonly<Record<string, unknown>> | null = null;
  port.on('message', ({ id, method, arguments: args }: CallMessage) => {
    const run = async (): Promise<unknown> => {
      made ??= make() as Readonly<Record<string, unknown>>;
      const called = made[method];
      if (typeof called !== 'function')
        throw new TypeError(`Expected a method of the thread, not "${method}"`);
      return (called as Method).apply(made, args as never[]);
    };
    run().then(
      (result) => {
        port.postMessage({ id, result }, memoryOf(result));
        if (method === 'close') port.close();
      },
      (error: unknown) => {
        port.postMessage({ id, error: partsOf(environmentError(file, error) ?? error) });
        if (method === 'open' || method === 'close') port.close();
      },
    );
  });
}

/** Memory that an answer hands over: that of a body which has it for itself. Else a page would be copied. */
function memoryOf(result: unknown): ArrayBuffer[] {
  const body = typeof result === 'object' && result !== null && 'body' in result ? result.body : null;
  const isAlone = body instanceof Uint8Array && body.byteLength === body.buffer.byteLength;
  return isAlone && body.buffer instanceof ArrayBuffer ? [body.buffer] : [];
}

function partsOf(error: unknown): ErrorParts {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, sync: null };
  const sync =
    error instanceof SyncError ? { code: error.code, hint: error.hint, exitCode: error.exitCode } : null;
  return { message: error.message, stack: error.stack, sync };
}

function toError(parts: ErrorParts): Error {
  const error =
    parts.sync === null
      ? new Error(parts.message)
      : new SyncError(parts.sync.code, parts.message, {
          exitCode: parts.sync.exitCode,
          ...(parts.sync.hint === undefined ? {} : { hint: parts.sync.hint }),
        });
  if (parts.stack !== undefined) error.stack = parts.stack;
  return error;
}
