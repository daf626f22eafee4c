import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Span } from '@opentelemetry/api';
import { messageOf, SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import { onceLogged } from './once-logged.js';
import { formatTraceParent, parseTraceParent, TRACEPARENT_HEADER } from './trace-parent.js';
import type { SpanOptions, Tracer } from './tracer.js';

export interface TracingParts {
  /** URL that spans are posted to, e.g. `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  readonly node: string;
  /** Version of this program. */
  readonly version: string;
  readonly logger: Logger;
}

/** How the program calls itself to the collector, as the service and as the author of the spans. */
const SERVICE = 'sqlite-p2p-sync';

/** The collector takes longer than this for a batch, again and again: the batch is lost. */
const EXPORT_TIMEOUT_MS = 3_000;
/** What is left is given so long when the replica stops. */
const FLUSH_TIMEOUT_MS = 1_500;

/** The packages, all of them optional; `@opentelemetry/api` is what the others share. */
const PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-base',
] as const;

/** Traces to a collector of OpenTelemetry. Rejects with `tracing_not_installed`. */
export async function openTelemetry({ endpoint, node, version, logger }: TracingParts): Promise<Tracer> {
  const { api, exporter, resources, sdk } = await loadPackages();
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT, server: SpanKind.SERVER };
  const otlp = new exporter.OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_TIMEOUT_MS });
  const provider = new sdk.BasicTracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': SERVICE,
      'service.version': version,
      'service.instance.id': node,
    }),
    spanProcessors: [new sdk.BatchSpanProcessor(onceLogged(otlp, endpoint, logger))],
  });
  const spans = provider.getTracer(SERVICE, version);
  const underWay = new AsyncLocalStorage<Span>();

  function contextOf(parent: string | undefined): Context {
    const place = parent === undefined ? null : parseTraceParent(parent);
    if (place !== null) return trace.setSpanContext(ROOT_CONTEXT, { ...place, isRemote: true });
    const span = underWay.getStore();
    return span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span);
  }

  return {
    span<T>(
      name: string,
      { kind = 'internal', attributes = {}, parent }: SpanOptions,
      work: () => Promise<T>,
    ) {
      const span = spans.startSpan(name, { kind: kinds[kind], attributes }, contextOf(parent));
      return underWay.run(span, async () => {
        try {
          return await work();
        } catch (error) {
          // The code alone: a message may hold what is not for a collector, such as a row's key.
          span.setAttribute('error.type', codeOf(error)).setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    annotate(attributes) {
      underWay.getStore()?.setAttributes(attributes);
    },
    headers() {
      const span = underWay.getStore();
      return span === undefined ? {} : { [TRACEPARENT_HEADER]: formatTraceParent(span.spanContext()) };
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
      });
      const flushed = provider.shutdown().catch((error: unknown) => {
        logger.debug('the last spans were not sent', { error });
      });
      await Promise.race([flushed, late]);
      clearTimeout(timer);
    },
  };
}

function codeOf(error: unknown): string {
  if (error instanceof SyncError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

/** Loaded only here: without tracing configured they need not be there. */
async function loadPackages() {
  try {
    const [api, exporter, resources, sdk] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace-base'),
    ]);
    return { api, exporter, resources, sdk };
  } catch (cause) {
    throw new SyncError(
      'tracing_not_installed',
      `tracing.otlp_endpoint is set, but OpenTelemetry can't be loaded: ${messageOf(cause).split('\n')[0]}`,
      {
        hint: `Install it: npm install ${PACKAGES.join(' ')}; or take tracing out of the configuration.`,
        cause,
      },
    );
  }
}
