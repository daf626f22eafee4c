import type { WriterCalls } from '../threads/calls.js';
import type { Counters } from './counters.js';

/** The same calls; what their answers say is counted. */
export function meteredWriter<Calls extends Pick<WriterCalls, 'fold' | 'apply'>>(
  writer: Calls,
  counters: Pick<Counters, 'folded' | 'applied'>,
): Calls {
  return {
    ...writer,
    async fold(contradicted) {
      const folded = await writer.fold(contradicted);
      counters.folded(folded.tally);
      return folded;
    },
    async apply(request) {
      const page = await writer.apply(request);
      counters.folded(page.tally);
      counters.applied(request.peer, page);
      return page;
    },
  } satisfies Pick<WriterCalls, 'fold' | 'apply'> & Calls;
}
