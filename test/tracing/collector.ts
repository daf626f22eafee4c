import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A span as it came by OTLP/HTTP. */
export interface CollectedSpan {
  /** The replica that sent it. */
  readonly node: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it begins its trace. */
  readonly parentSpanId: string;
  /** 1: internal, 2: server, 3: client. */
  readonly kind: number;
  /** 2: it failed. */
  readonly status: number;
  readonly attributes: Readonly<Record<string, string | number>>;
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string | number };
}

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly status?: { readonly code?: number };
  readonly attributes: readonly OtlpAttribute[];
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** An HTTP server on loopback that takes traces as a collector of OpenTelemetry does. */
export class Collector {
  readonly spans: CollectedSpan[] = [];
  /** All that was taken, as text. */
  sent = '';
  /** What it answers with. */
  status = 200;
  requests = 0;
  readonly #server: Server;
  #tell: () => void = () => undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      const { url, method, headers } = request;
      const isOtlp =
        method === 'POST' && url === '/v1/traces' && headers['content-type'] === 'application/json';
      void text(request).then((body) => {
        this.requests += 1;
        if (isOtlp && this.status === 200) this.#take(body);
        response.writeHead(isOtlp ? this.status : 404, { 'content-type': 'application/json' }).end('{}');
        this.#tell();
      });
    });
  }

  static async listen(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  of(node: string, name: string): CollectedSpan[] {
    return this.spans.filter((span) => span.node === node && span.name === name);
  }

  /** The first span that fits, now or as soon as it comes. */
  async until(fits: (span: CollectedSpan) => boolean): Promise<CollectedSpan> {
    for (;;) {
      const found = this.spans.find(fits);
      if (found !== undefined) return found;
      await this.request();
    }
  }

  /** Resolves with the next request. */
  request(): Promise<void> {
    return new Promise((resolve) => (this.#tell = resolve));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take(body: string): void {
    this.sent += body;
    const { resourceSpans } = JSON.parse(body) as OtlpRequest;
    for (const { resource, scopeSpans } of resourceSpans) {
      const node = String(valuesOf(resource.attributes)['service.instance.id']);
      for (const { spans } of scopeSpans) this.spans.push(...spans.map((span) => collected(node, span)));
    }
  }
}

function collected(node: string, span: OtlpSpan): CollectedSpan {
  const { name, traceId, spanId, parentSpanId = '', kind } = span;
  const status = span.status?.code ?? 0;
  return { node, name, traceId, spanId, parentSpanId, kind, status, attributes: valuesOf(span.attributes) };
}

function valuesOf(attributes: readonly OtlpAttribute[]): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );
}
