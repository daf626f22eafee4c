import { z } from 'zod';
import { MAX_CURSOR_LENGTH } from './cursor.js';
import { EPOCH, NODE_ID } from './instance.js';
import { SNAPSHOT_FORMAT } from './snapshot-format.js';

const columns = z.array(z.string().min(1));

const tableSchema = z.strictObject({
  name: z.string().min(1),
  primary_key: columns.min(1),
  timestamp_column: z.string().min(1).nullable(),
  timestamp_format: z.enum(['auto', 'unix_ms', 'unix_s', 'iso8601', 'julian']),
  soft_delete_column: z.string().min(1).nullable(),
  conflict_resolution: z.enum(['latest_wins', 'source_wins', 'manual', 'custom']),
  preferred_node: z.string().min(1).nullable(),
  /** The file name of the module alone: what stands there is each replica's own. */
  resolver: z.string().min(1).nullable(),
  exclude_columns: columns,
  allow_integer_key: z.boolean(),
});

/** What the row of `_sync_snapshot` holds. */
const descriptionSchema = z.strictObject({
  format: z.literal(SNAPSHOT_FORMAT),
  /** The replica that made it, and its instance. */
  node: z.string().regex(NODE_ID),
  epoch: z.string().regex(EPOCH),
  /** Everything in that instance's log up to here is in the file. */
  cursor: z.string().min(1).max(MAX_CURSOR_LENGTH),
  /** The source may hold rows whose deletion it missed: as `renewed` in a page. */
  renewed: z.boolean(),
  tables: z.array(tableSchema),
});

/** A table as the source is configured to replicate it; names as in the configuration file. */
export type SnapshotTable = Readonly<z.infer<typeof tableSchema>>;
export type SnapshotDescription = Readonly<z.infer<typeof descriptionSchema>>;

/** Null where the text is none that this release reads. */
export function parseDescription(text: string): SnapshotDescription | null {
  try {
    return descriptionSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
