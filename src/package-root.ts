import { fileURLToPath } from 'node:url';

/** Where `package.json`, `sql/` and `migrations/` lie: one level above `dist/` and `src/` alike. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url));
