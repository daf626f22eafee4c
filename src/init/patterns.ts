import { existsSync } from 'node:fs';
import { readYaml } from '../config/read-yaml.js';
import { configSchema } from '../config/schema.js';

/**
 * `timestamp_column_patterns` of a configuration file that is there already, so that init finds the columns by
 * its owner's names; null where there is no file or no such key in it. The rest of the file may be wrong.
 */
export function existingPatterns(file: string): readonly string[] | null {
  if (!existsSync(file)) return null;
  const content = readYaml(file);
  if (typeof content !== 'object' || content === null || !('timestamp_column_patterns' in content))
    return null;
  const result = configSchema.shape.timestamp_column_patterns.safeParse(content.timestamp_column_patterns);
  return result.success ? result.data : null;
}
