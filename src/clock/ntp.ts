import { execFile } from 'node:child_process';
import { messageOf } from '../errors.js';

export type NtpState = 'synchronised' | 'not_synchronised' | 'unknown';

/** Whether NTP sets this machine's clock. */
export interface Ntp {
  readonly state: NtpState;
  /** What says so, for a person: `timedatectl: NTP=yes, NTPSynchronized=no`. */
  readonly detail: string;
}

/** The system's own program, and how its answer is read; null where it tells nothing. */
interface Question {
  readonly command: string;
  readonly args: readonly string[];
  read(answer: string): Ntp | null;
}

export interface NtpOptions {
  readonly platform?: NodeJS.Platform;
  /** Where the system's program is looked for, as in PATH. */
  readonly path?: string;
  /** A program that has not answered by then is killed, and nothing is known. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 2_000;
const MAX_ANSWER_BYTES = 16 * 1024;

const QUESTIONS: Partial<Record<NodeJS.Platform, Question>> = {
  linux: {
    command: 'timedatectl',
    args: ['show', '-p', 'NTPSynchronized', '-p', 'NTP'],
    read: readTimedatectl,
  },
  darwin: { command: 'systemsetup', args: ['-getusingnetworktime'], read: readSystemsetup },
};

/** Asks the system. Never rejects: what can't be asked is unknown, with the reason. */
export async function readNtp({
  platform = process.platform,
  path = defaultPath(),
  deadlineMs = DEADLINE_MS,
}: NtpOptions = {}): Promise<Ntp> {
  const question = QUESTIONS[platform];
  if (question === undefined) return unknown(`nothing is known to ask on ${platform}`);
  const { command, args } = question;
  const answer = await ask(command, args, path, deadlineMs);
  if ('fault' in answer) return unknown(`${command} ${answer.fault}`);
  return question.read(answer.said) ?? unknown(`${command} gave no answer that tells`);
}

function unknown(detail: string): Ntp {
  return { state: 'unknown', detail };
}

/** A daemon's PATH may lack what belongs to the system. */
function defaultPath(): string {
  return `${process.env.PATH ?? ''}:/usr/bin:/usr/sbin`;
}

type Answer = { readonly said: string } | { readonly fault: string };

/** Runs a program without a shell, and without our environment, which may hold the key. */
function ask(command: string, args: readonly string[], path: string, deadlineMs: number): Promise<Answer> {
  const bus = process.env.DBUS_SYSTEM_BUS_ADDRESS;
  const env = { PATH: path, LC_ALL: 'C', ...(bus === undefined ? {} : { DBUS_SYSTEM_BUS_ADDRESS: bus }) };
  const limits = { timeout: deadlineMs, killSignal: 'SIGKILL', maxBuffer: MAX_ANSWER_BYTES } as const;
  return new Promise((resolve) => {
    execFile(command, args, { env, ...limits, encoding: 'utf8' }, (error, stdout) => {
      resolve(error === null ? { said: stdout } : { fault: faultOf(error, deadlineMs) });
    });
  });
}

function faultOf(error: Error & { code?: unknown; killed?: boolean }, deadlineMs: number): string {
  if (error.code === 'ENOENT') return 'is not installed';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'said far more than was asked';
  if (error.killed === true) return `did not answer within ${deadlineMs / 1000} s`;
  if (typeof error.code === 'number') return `ended with exit code ${error.code}`;
  return `can't be run: ${messageOf(error)}`;
}

/** `NTPSynchronized` is the kernel's own word, whichever program sets the clock; `NTP` that systemd knows of one. */
function readTimedatectl(answer: string): Ntp | null {
  const told = new Map(
    answer.split('\n').map((line) => {
      const [name = '', value = ''] = line.trim().split('=', 2);
      return [name, value];
    }),
  );
  const synchronised = told.get('NTPSynchronized');
  if (synchronised !== 'yes' && synchronised !== 'no') return null;
  const on = told.get('NTP');
  const also = on === 'yes' || on === 'no' ? `, NTP=${on}` : '';
  return {
    state: synchronised === 'yes' ? 'synchronised' : 'not_synchronised',
    detail: `timedatectl: NTPSynchronized=${synchronised}${also}`,
  };
}

/** It tells whether network time is used, and no more. */
function readSystemsetup(answer: string): Ntp | null {
  const [, used] = /^Network Time: (On|Off)\s*$/m.exec(answer) ?? [];
  if (used === undefined) return null;
  return {
    state: used === 'On' ? 'synchronised' : 'not_synchronised',
    detail: `systemsetup: Network Time: ${used}`,
  };
}
