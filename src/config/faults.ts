import { SyncError } from '../errors.js';
import type { Path } from './schema-keys.js';

/** One thing that is wrong with the configuration. */
export interface Fault {
  readonly path: Path;
  readonly message: string;
  /** Of the error, where no fault has another; default `config_invalid`. */
  readonly code?: string;
  /** Of the error, where no fault has another. */
  readonly hint?: string;
}

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
