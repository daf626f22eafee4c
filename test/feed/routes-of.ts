import type { Express } from 'express';

export interface Route {
  readonly method: string;
  readonly path: string;
}

/** What express keeps of what was registered: a route, or a router with layers of its own. */
interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  readonly handle: { readonly stack?: readonly Layer[] };
}

/** Every route of an app, those of its routers included, so that none can be forgotten by a test. */
export function routesOf(app: Express): Route[] {
  return (app.router.stack as unknown as readonly Layer[]).flatMap(routesIn);
}

function routesIn({ route, handle }: Layer): Route[] {
  if (route === undefined) return (handle.stack ?? []).flatMap(routesIn);
  return Object.keys(route.methods).map((method) => ({ method: method.toUpperCase(), path: route.path }));
}
