import type { Tracer } from '../tracing/tracer.js';
import type { PeerClient } from './client.js';

/** The same client, with a span for each request for a page. */
export function tracedClient(client: PeerClient, peer: string, tracer: Tracer): PeerClient {
  return {
    ...client,
    page(query, signal) {
      const attributes = { 'sync.peer': peer, 'sync.page_size': query.limit };
      return tracer.span('page request', { kind: 'client', attributes }, async () => {
        const page = await client.page(query, signal);
        tracer.annotate({ 'sync.page_bytes': page.body.byteLength });
        return page;
      });
    },
  };
}
