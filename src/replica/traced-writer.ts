import type { WriterCalls } from '../threads/calls.js';
import type { Tracer } from '../tracing/tracer.js';

/** The same calls, with spans for those that change much. */
export function tracedWriter<Calls extends Pick<WriterCalls, 'fold' | 'apply'>>(
  writer: Calls,
  tracer: Tracer,
): Calls {
  return {
    ...writer,
    fold: (contradicted) =>
      tracer.span('fold', {}, async () => {
        const folded = await writer.fold(contradicted);
        tracer.annotate({ 'sync.entries': folded.entries, 'sync.versions': folded.versions });
        return folded;
      }),
    apply: (request) =>
      tracer.span('apply', { attributes: { 'sync.peer': request.peer } }, async () => {
        const page = await writer.apply(request);
        tracer.annotate({
          'sync.pages': page.pages,
          'sync.received': page.received,
          'sync.applied': page.applied,
          'sync.skipped': page.skipped,
          'sync.conflicts': page.conflicts,
          'sync.quarantined': page.quarantined,
        });
        return page;
      }),
  } satisfies Pick<WriterCalls, 'fold' | 'apply'> & Calls;
}
