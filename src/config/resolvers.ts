import { pathToFileURL } from 'node:url';
import { SyncError, messageOf } from '../errors.js';
import type { TableConfig } from './config.js';

/** A value as a resolver gets it (docs/operations.md): INTEGER is a number where that is exact, else a bigint. */
export type ResolverValue = null | number | bigint | string | Uint8Array;

/** A row by column; null where that side deleted it. */
export type ResolverRow = Record<string, ResolverValue> | null;

export interface ResolverVersion {
  readonly rank: number;
  /** ms since 1970. */
  readonly stamp: number;
  /** `node@epoch`. */
  readonly origin: string;
}

export interface ResolverContext {
  readonly table: string;
  readonly key: readonly ResolverValue[];
  readonly localVersion: ResolverVersion;
  readonly remoteVersion: ResolverVersion;
  /** The side that stands elsewhere until the merge arrives. */
  readonly newer: 'local' | 'remote';
}

/** The user's function; what it returns is checked. */
export type Resolver = (local: ResolverRow, remote: ResolverRow, context: ResolverContext) => unknown;

/** What kept a table's resolver from deciding. */
export interface ResolverFault {
  readonly table: string;
  readonly reason: string;
}

/** The modules that `resolver` names in the configuration, and what went wrong in them. */
export class Resolvers {
  private readonly loaded = new Map<string, Resolver>();
  private readonly faults = new Map<string, string>();
  private readonly told = new Set<string>();

  /** Imports what these tables name. Throws `resolver_invalid`. */
  async load(tables: readonly TableConfig[]): Promise<void> {
    for (const { resolver } of tables) {
      if (resolver !== null) this.loaded.set(resolver, await importResolver(resolver));
    }
  }

  of({ name, resolver }: TableConfig): Resolver {
    const found = resolver === null ? undefined : this.loaded.get(resolver);
    if (found === undefined) throw new TypeError(`Expected the resolver of "${name}" to be loaded`);
    return found;
  }

  /** Notes why a table's resolver did not decide. */
  noteFault(table: string, reason: string): void {
    if (!this.told.has(table) && !this.faults.has(table)) this.faults.set(table, reason);
  }

  /** What was noted since; the first fault of each table only, however often one comes. */
  takeFaults(): ResolverFault[] {
    const taken = [...this.faults].map(([table, reason]) => ({ table, reason }));
    for (const table of this.faults.keys()) this.told.add(table);
    this.faults.clear();
    return taken;
  }
}

async function importResolver(file: string): Promise<Resolver> {
  let imported: { default?: unknown };
  try {
    imported = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (cause) {
    throw invalid(`The resolver ${file} can't be loaded: ${messageOf(cause)}`, cause);
  }
  if (typeof imported.default === 'function') return imported.default as Resolver;
  throw invalid(`The resolver ${file} has no function as its default export.`);
}

function invalid(message: string, cause?: unknown): SyncError {
  return new SyncError('resolver_invalid', message, {
    exitCode: 2,
    hint: 'Write: export default (local, remote, context) => record; docs/operations.md has an example.',
    cause,
  });
}
