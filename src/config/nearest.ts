import { closest, distance } from 'fastest-levenshtein';

/** The known name that a misspelt one was probably meant to be; null where none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const candidate = closest(name, known);
  return distance(name, candidate) <= Math.max(2, Math.floor(name.length / 3)) ? candidate : null;
}
