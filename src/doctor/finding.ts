/** `error`: replication stops, or replicas come to differ. `warning`: somebody should look at it. */
export type Level = 'ok' | 'warning' | 'error';

/** What a check saw. */
export interface Seen {
  readonly level: Level;
  readonly message: string;
  /** What to do about it; null where nothing is wrong. */
  readonly fix: string | null;
}

/** The same, with the name of the check: stable, lower_snake_case. */
export interface Finding extends Seen {
  readonly check: string;
}

export function fine(message: string): Seen {
  return { level: 'ok', message, fix: null };
}

export function warning(message: string, fix: string): Seen {
  return { level: 'warning', message, fix };
}

export function fault(message: string, fix: string): Seen {
  return { level: 'error', message, fix };
}
