import { environmentError, isBusy } from '../database/open.js';
import { isSystemError, messageOf, SyncError } from '../errors.js';
import { fault, type Finding, type Seen } from './finding.js';

/** One thing that is looked at. It writes nothing. */
export interface Check<Subject> {
  /** Stable, lower_snake_case. */
  readonly name: string;
  /** Nothing where there is nothing to look at. What it throws for an operating error becomes a finding. */
  look(subject: Subject): readonly Seen[] | Promise<readonly Seen[]>;
}

/** Runs checks one after the other; their findings in that order. */
export async function runChecks<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) {
    const tried = await attempt(check.name, () => check.look(subject));
    findings.push(...(tried.done ? named(check.name, tried.value) : tried.findings));
  }
  return findings;
}

export type Attempt<T> =
  { readonly done: true; readonly value: T } | { readonly done: false; readonly findings: Finding[] };

/** Runs work for a check, or for what several checks need; an operating error becomes a finding. */
export async function attempt<T>(name: string, work: () => Promise<T> | T): Promise<Attempt<T>> {
  try {
    return { done: true, value: await work() };
  } catch (error) {
    const seen = seenIn(name, error);
    if (seen === null) throw error;
    return { done: false, findings: named(name, [seen]) };
  }
}

function named(check: string, seen: readonly Seen[]): Finding[] {
  return seen.map((each) => ({ check, ...each }));
}

/** Null for a programmer's error. */
function seenIn(name: string, error: unknown): Seen | null {
  const known = error instanceof SyncError ? error : environmentError('the database', error);
  if (known !== null) return fault(known.message, known.hint ?? 'Run it again with --log-level debug.');
  if (isBusy(error)) {
    return fault(
      `${name} can't be looked at: ${messageOf(error)}`,
      'Find the program that keeps the database locked, and run doctor again.',
    );
  }
  return isSystemError(error)
    ? fault(messageOf(error), 'Correct the permissions of the database file and its folder.')
    : null;
}
