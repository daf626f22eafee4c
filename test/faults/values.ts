import { withDatabase } from '../replication/content.js';

/** A hard delete, which carries no value of its own. */
const DELETE = 'delete';

/**
 * The books of every value that an application was told to be committed: which write replaced which, and which values
 * went with a file that was thrown away.
 */
export class Values {
  /** By value, what replaced it where it stood: the application had it before its eyes. */
  private readonly replacedBy = new Map<string, string[]>();
  private readonly gone = new Set<string>();

  /** A value that no other write carries. */
  next(): string {
    return `v${String(this.replacedBy.size + 1).padStart(6, '0')}`;
  }

  acknowledged(value: string | null, replaced: string | null): void {
    if (value !== null && !this.replacedBy.has(value)) this.replacedBy.set(value, []);
    if (replaced === null) return;
    const by = this.replacedBy.get(replaced);
    if (by === undefined) throw new Error(`"${replaced}" stood in a table, and nobody wrote it`);
    by.push(value ?? DELETE);
  }

  get size(): number {
    return this.replacedBy.size;
  }

  get lostWithFiles(): number {
    return this.gone.size;
  }

  /**
   * Values that are in no table, ledger or quarantine of these files, were not replaced by a write that is accounted
   * for, and did not go with a file.
   */
  missing(files: readonly string[]): string[] {
    const found = new Set(files.flatMap(valuesIn));
    const accounted = new Map<string, boolean>();
    const isAccounted = (value: string): boolean => {
      if (value === DELETE || found.has(value)) return true;
      const known = accounted.get(value);
      if (known !== undefined) return known;
      const result = (this.replacedBy.get(value) ?? []).some(isAccounted);
      accounted.set(value, result);
      return result;
    };
    return [...this.replacedBy.keys()].filter((value) => !this.gone.has(value) && !isAccounted(value));
  }

  /** What only a file had that was thrown away is no loss of ours. `left`: the files that remain. */
  thrownAway(left: readonly string[]): void {
    for (const value of this.missing(left)) this.gone.add(value);
  }
}

/** All values that stand in tables, or that a ledger or quarantine holds as lost. */
export function valuesIn(file: string): string[] {
  const texts = withDatabase(file, (database) =>
    database
      .prepare<[], string>(
        `SELECT english FROM words UNION ALL SELECT body FROM notes
         UNION ALL SELECT loser FROM _sync_conflicts UNION ALL SELECT change FROM _sync_quarantine`,
      )
      .pluck()
      .all(),
  );
  return texts.flatMap((text) => text.match(/v\d{6}/g) ?? []);
}
