import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Router, type RequestHandler, type Response } from 'express';

/** Our own page, as the build leaves it. */
const PAGE_FOLDER = fileURLToPath(new URL('./page/', import.meta.url));

/** Files of the page by their names; no path gets out of the folder by such a name. */
const OWN_FILE = /^[a-z]+(?:-[a-z]+)*\.(?:js|css|svg)$/;

const resolve = createRequire(import.meta.url).resolve;

/** The chart library as it is installed, under the names by which the page asks for it. */
const LIBRARY_FILES: ReadonlyMap<string, string> = new Map([
  ['uplot.js', 'uplot/dist/uPlot.esm.js'],
  ['uplot.css', 'uplot/dist/uPlot.min.css'],
]);

/** What the page has to know before it can ask for anything. */
export interface DashboardAccess {
  /** The routes want a key. */
  readonly needs_key: boolean;
}

/**
 * The dashboard's page and its files: open to all, since they hold nothing of this replica. What it shows it asks for
 * with the key of whoever looks at it.
 */
export function dashboardFiles({ needsKey }: { readonly needsKey: boolean }): Router {
  const router = Router();
  router.get('/', (_request, response, next) => {
    send(response, PAGE_FOLDER, 'index.html', next);
  });
  router.get('/dashboard/:file', (request, response, next) => {
    const { file } = request.params;
    const library = LIBRARY_FILES.get(file);
    if (file === 'access.json') {
      response.set('cache-control', 'no-store').json({ needs_key: needsKey } satisfies DashboardAccess);
    } else if (library !== undefined) {
      const path = resolve(library);
      send(response, dirname(path), basename(path), next);
    } else if (OWN_FILE.test(file)) {
      send(response, PAGE_FOLDER, file, next);
    } else {
      next();
    }
  });
  return router;
}

type Next = Parameters<RequestHandler>[2];

/** Sends a file, which the browser asks for again each time: after an update it must not mix two versions. */
function send(response: Response, root: string, file: string, next: Next): void {
  response.set('cache-control', 'no-cache');
  response.sendFile(file, { root, cacheControl: false }, (error: NodeJS.ErrnoException | undefined) => {
    if (error === undefined) return;
    next(error.code === 'ENOENT' ? undefined : error);
  });
}
