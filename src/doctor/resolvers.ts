import { Resolvers } from '../config/resolvers.js';
import type { Check } from './check.js';
import { fine } from './finding.js';
import type { Setup } from './subjects.js';

/** Whether the modules of `custom` can be loaded. */
export const resolversCheck: Check<Setup> = {
  name: 'resolvers',
  async look({ config }) {
    const named = config.tables.filter(({ resolver }) => resolver !== null);
    if (named.length === 0) return [];
    await new Resolvers().load(config.tables);
    return [fine(`loaded, for ${named.map(({ name }) => name).join(', ')}`)];
  },
};
