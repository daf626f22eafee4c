import type { Fault } from './faults.js';
import type { Path } from './schema-keys.js';

export interface Expansion {
  /** The same shape with every `${NAME}` replaced. */
  readonly value: unknown;
  /** Where something was replaced. */
  readonly expanded: readonly Path[];
  readonly faults: readonly Fault[];
}

// $${ stands for ${ itself; what follows a ${ that is none of these forms is a fault
const REFERENCE = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g;
// deeper than any key of ours; also ends what a YAML alias made circular
const MAX_DEPTH = 8;

type Environment = Readonly<Record<string, string | undefined>>;

/** Replaces `${NAME}` and `${NAME:-default}` in every text; as in a shell, the default also stands for an empty one. */
export function expandVariables(value: unknown, environment: Environment): Expansion {
  const expanded: Path[] = [];
  const faults: Fault[] = [];

  function visit(node: unknown, path: Path): unknown {
    if (typeof node === 'string') return node.includes('${') ? expandText(node, path) : node;
    if (typeof node !== 'object' || node === null || path.length > MAX_DEPTH) return node;
    if (Array.isArray(node)) return node.map((item, index) => visit(item, [...path, index]));
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, visit(item, [...path, key])]));
  }

  function expandText(text: string, path: Path): string {
    expanded.push(path);
    return text.replace(REFERENCE, (reference, name?: string, fallback?: string) => {
      if (reference === '$${') return '${';
      if (name === undefined) {
        faults.push({
          path,
          message: 'expected ${NAME} or ${NAME:-default} after "${"; write $${ for the characters',
        });
        return '';
      }
      const found = environment[name];
      if (fallback !== undefined) return found === undefined || found === '' ? fallback : found;
      if (found === undefined) {
        faults.push({
          path,
          message: `the environment variable ${name} is not set`,
          code: 'variable_unset',
          hint: `Set ${name}, or give it a default: \${${name}:-...}.`,
        });
      }
      return found ?? '';
    });
  }

  return { value: visit(value, []), expanded, faults };
}
