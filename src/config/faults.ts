import type { z } from 'zod';
import { SyncError } from '../errors.js';
import { nearest } from './nearest.js';
import { keysAt, type Path } from './schema-keys.js';

/** One thing that is wrong with the configuration. */
export interface Fault {
  readonly path: Path;
  readonly message: string;
  /** Of the error, where no fault has another; default `config_invalid`. */
  readonly code?: string;
  /** Of the error, where no fault has another. */
  readonly hint?: string;
}

const MAX_SHOWN_CHARACTERS = 60;
const HINT = 'Correct the file; docs/config.example.yaml explains every key.';

/** `tables[1].timestamp_column`; a key that is no plain word stands in quotes. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/**
 * The faults that zod found. `raw` is the file's content as written: what is shown of it can't hold the value of
 * an environment variable, and so no key.
 */
export function faultsOf(
  issues: readonly z.core.$ZodIssue[],
  schema: z.core.$ZodType,
  raw: unknown,
): Fault[] {
  return issues.flatMap((issue): Fault[] => {
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(schema, path);
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known) }));
    }
    return [{ path, message: `${issue.message}, ${foundAt(raw, path)}` }];
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return meant === null ? 'unknown key' : `unknown key; did you mean ${meant}?`;
}

function foundAt(raw: unknown, path: Path): string {
  let value = raw;
  for (const step of path) {
    value =
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, unknown>)[step]
        : undefined;
  }
  if (value === undefined) return 'but it is missing';
  if (value === null) return 'but it is empty';
  if (Array.isArray(value)) return 'got a list';
  if (typeof value === 'object') return 'got a mapping';
  // a user and password in an address are nobody's business
  const shown = JSON.stringify(value).replace(/\/\/[^/@\s]*@/, '//***@');
  return `got ${shown.length <= MAX_SHOWN_CHARACTERS ? shown : `${shown.slice(0, MAX_SHOWN_CHARACTERS)}...`}`;
}

/** One error that lists every fault. `file` is named first. */
export function configError(file: string, faults: readonly Fault[]): SyncError {
  const lines = faults.map(
    (fault) => (fault.path.length === 0 ? '' : `${pathText(fault.path)}: `) + fault.message,
  );
  const count = faults.length === 1 ? '' : `${faults.length} faults: `;
  const [first] = faults;
  const same = faults.every((fault) => fault.code === first?.code && fault.hint === first?.hint);
  return new SyncError(
    (same ? first?.code : null) ?? 'config_invalid',
    `${file}: ${count}${lines.join('; ')}`,
    {
      exitCode: 2,
      hint: (same ? first?.hint : null) ?? HINT,
    },
  );
}
