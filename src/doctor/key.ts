import type { Check } from './check.js';
import { fine, warning, type Seen } from './finding.js';
import type { Setup } from './subjects.js';

/** What a key should be worth at least; one of `keygen` has 256 bits. */
const MIN_BITS = 80;

/** Whether the keys could be guessed. That a key is there where one is needed, and long enough, the configuration asks. */
export const keyCheck: Check<Setup> = {
  name: 'key',
  look({ config }) {
    const { apiKeys, apiKeyEnv } = config.security;
    if (apiKeys.length === 0) {
      return [fine(`no key is set: only programs of this machine are served (${apiKeyEnv})`)];
    }
    const weak = apiKeys.flatMap((key, place): Seen[] =>
      bitsOf(key) >= MIN_BITS
        ? []
        : [
            warning(
              `key ${place + 1} of ${apiKeys.length} in ${apiKeyEnv} repeats itself so much that it can be guessed`,
              'Make one with sqlite-p2p-sync keygen, and change it on all replicas (docs/operations.md, Changing the key).',
            ),
          ],
    );
    const count = apiKeys.length === 1 ? 'the key' : `the ${apiKeys.length} keys`;
    return weak.length > 0 ? weak : [fine(`${count} in ${apiKeyEnv} can't be guessed by its pattern`)];
  },
};

/** An upper bound of what a text is worth, from its letters, the steps between them, and its repetitions. */
export function bitsOf(text: string): number {
  const codes = [...text].map((letter) => letter.charCodeAt(0));
  const steps = codes.slice(1).map((code, place) => code - (codes[place] ?? 0));
  return Math.min(entropyOf(codes), entropyOf(steps)) * periodOf(codes);
}

/** Bits a value, as the values are distributed. */
function entropyOf(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / values.length;
    return sum - share * Math.log2(share);
  }, 0);
}

/** After how many values they come again in the same order; all of them where they don't. */
function periodOf(values: readonly number[]): number {
  for (let period = 1; period < values.length; period += 1) {
    if (values.every((value, place) => place < period || value === values[place - period])) return period;
  }
  return values.length;
}
