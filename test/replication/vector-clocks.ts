/** How many versions of one row each author had made that somebody knew, by author. */
type Clock = Readonly<Record<string, number>>;

/** One version of a row, as the model knows it. */
export interface Written {
  readonly row: string;
  readonly author: string;
  readonly clock: Clock;
  /** Null: the row is deleted. */
  readonly content: string | null;
}

export type Order = 'same' | 'before' | 'after' | 'concurrent';

/** Whether `one` was known to the author of `other` (before), the other way round (after), or neither knew the other. */
export function orderOf(one: Written, other: Written): Order {
  const known = covers(other.clock, one);
  const knows = covers(one.clock, other);
  if (known && knows) return 'same';
  if (known) return 'before';
  return knows ? 'after' : 'concurrent';
}

function covers(clock: Clock, { author, clock: its }: Written): boolean {
  return (clock[author] ?? 0) >= (its[author] ?? 0);
}

/**
 * What one replica's tables hold, by the rules alone: the content of each row, the version that stands for it, and
 * full vector clocks, which know nothing of stamps.
 */
export class ModelReplica {
  readonly versions = new Map<string, Written>();
  private readonly contents = new Map<string, string | null>();
  private readonly written = new Set<string>();
  private readonly made = new Map<string, number>();

  constructor(readonly node: string) {}

  /** The application wrote or deleted a row. */
  write(row: string, content: string | null): void {
    this.contents.set(row, content);
    this.written.add(row);
  }

  contentOf(row: string): string | null {
    return this.contents.get(row) ?? null;
  }

  /** Whether something was written since the last fold. */
  get hasWritten(): boolean {
    return this.written.size > 0;
  }

  /** What was written since the last fold becomes one version a row, by an author who knew the one that it replaces. */
  fold(): Written[] {
    const made = [...this.written].sort().flatMap((row) => this.foldRow(row) ?? []);
    this.written.clear();
    return made;
  }

  private foldRow(row: string): Written | null {
    const replaced = this.versions.get(row);
    const content = this.contentOf(row);
    if (replaced?.content === content) return null;
    const count = (this.made.get(row) ?? 0) + 1;
    this.made.set(row, count);
    const version = { row, author: this.node, content, clock: { ...replaced?.clock, [this.node]: count } };
    this.versions.set(row, version);
    return version;
  }

  /** A version of another replica's won here. */
  take(version: Written): void {
    this.versions.set(version.row, version);
    this.contents.set(version.row, version.content);
  }
}
