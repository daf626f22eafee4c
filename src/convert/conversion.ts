import type { Table } from '../database/table.js';
import type { Sql } from '../sql/template.js';
import type { IdKind } from './uuid.js';

export interface ConversionWish {
  readonly tables: readonly string[];
  /** `TABLE.COLUMN` or `TABLE.COLUMN=PARENT`. */
  readonly references: readonly string[];
  readonly ids: IdKind;
  readonly addColumns: boolean;
  readonly nowMs: number;
}

/** One table's old and new keys, in a temporary table. */
export interface KeyMap {
  readonly table: string;
  readonly map: Sql;
}

/** A table that is made anew. */
export interface Rebuilt {
  readonly table: Table;
  /** Under which name it is made. */
  readonly temporary: string;
  /** Its columns with keys, each with the map of the table whose keys they are. */
  readonly keys: ReadonlyMap<string, Sql>;
  /** How its rows are told apart: its row number by this name, or null: its key. */
  readonly rowid: string | null;
}

/** The statements of a conversion, in the order in which they run. */
export interface Conversion {
  readonly maps: readonly KeyMap[];
  readonly rebuilt: readonly Rebuilt[];
  readonly forward: {
    /** Make the maps; then `fill` them. */
    readonly begin: readonly Sql[];
    readonly fill: readonly Sql[];
    /** Make the new tables beside the old ones. */
    readonly copy: readonly Sql[];
    /** Put them in the place of the old ones, with indexes, triggers and views. */
    readonly swap: readonly Sql[];
    readonly end: readonly Sql[];
  };
  readonly backward: Conversion['forward'];
}
