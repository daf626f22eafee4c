/** What a span says beside its name and times. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  readonly kind?: 'internal' | 'client' | 'server';
  readonly attributes?: Attributes;
  /** The `traceparent` that came with a request; default: the span that is under way. */
  readonly parent?: string | undefined;
}

/** Follows one piece of work through this replica, and on to the next. */
export interface Tracer {
  /** Runs work in a span, which ends with it; its failure is the span's, and goes on. */
  span<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T>;
  /** Adds to the span that is under way. */
  annotate(attributes: Attributes): void;
  /** Names the span that is under way to the replica that is asked; empty where none is. */
  headers(): Readonly<Record<string, string>>;
  /** Sends what has not been sent, within a bounded time. Never rejects. */
  close(): Promise<void>;
}

/** Follows nothing. */
export const UNTRACED: Tracer = {
  span: (_name, _options, work) => work(),
  annotate: () => undefined,
  headers: () => ({}),
  close: () => Promise.resolve(),
};
