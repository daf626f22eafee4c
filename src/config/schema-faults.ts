import type { z } from 'zod';
import type { Fault } from './faults.js';
import { nearest } from './nearest.js';
import { keysAt, type Path } from './schema-keys.js';

const MAX_SHOWN_CHARACTERS = 60;

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
