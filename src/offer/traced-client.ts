import type { Tracer } from '../tracing/tracer.js';
import type { OfferClient } from './client.js';

/** The same client, with a span for each page that is sent. */
export function tracedOfferClient(client: OfferClient, peer: string, tracer: Tracer): OfferClient {
  return {
    ...client,
    offer(invitation, page, signal) {
      const attributes = { 'sync.peer': peer, 'sync.page_bytes': page.body.byteLength };
      return tracer.span('page offer', { kind: 'client', attributes }, () =>
        client.offer(invitation, page, signal),
      );
    },
  };
}
