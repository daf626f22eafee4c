import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { messageOf } from '../errors.js';
import type { Logger } from '../log/logger.js';

/** As OpenTelemetry has it: what is not 0 is a failure. */
const SUCCESS = 0;

/** The same exporter; that it fails is logged once, until it succeeds again. */
export function onceLogged(exporter: SpanExporter, endpoint: string, logger: Logger): SpanExporter {
  let failing = false;
  return {
    export(spans, onResult) {
      exporter.export(spans, (result) => {
        const failed = (result.code as number) !== SUCCESS;
        if (failed && !failing) {
          logger.warn('spans are lost: the collector does not take them', {
            endpoint,
            reason: messageOf(result.error ?? 'unknown'),
          });
        }
        if (!failed && failing) logger.info('the collector takes spans again', { endpoint });
        failing = failed;
        onResult(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
