/** A refusal in the daemon's own words, or that it could not be asked. */
export class AskError extends Error {
  constructor(
    /** 0: no answer came. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null,
  ) {
    super(message);
  }
}

/** Asks the daemon that serves this page. Rejects with an `AskError`. */
export type Ask = <Answer>(method: 'GET' | 'POST', path: string, body?: object) => Promise<Answer>;

/** An answer that has not begun by then does not come; a change waits for the application's write lock so long at most. */
const MAX_ANSWER_MS = 30_000;

/** `key` null: the daemon wants none. */
export function askWith(key: string | null): Ask {
  return async <Answer>(method: 'GET' | 'POST', path: string, body?: object) => {
    const headers = new Headers({ accept: 'application/json' });
    if (key !== null) headers.set('x-api-key', key);
    if (body !== undefined) headers.set('content-type', 'application/json');
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(path, {
        method,
        headers,
        cache: 'no-store',
        signal: AbortSignal.timeout(MAX_ANSWER_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      answer = await response.json();
    } catch (cause) {
      const hint = 'Is the daemon running? This page asks again by itself.';
      throw Object.assign(new AskError(0, 'no_answer', 'The daemon does not answer.', hint), { cause });
    }
    if (!response.ok) throw refusalOf(response.status, answer);
    return answer as Answer;
  };
}

function refusalOf(status: number, answer: unknown): AskError {
  const { error } = (answer ?? {}) as {
    error?: { code?: string; message?: string; hint?: string };
  };
  return new AskError(
    status,
    error?.code ?? 'unknown',
    error?.message ?? `Status ${status}.`,
    error?.hint ?? null,
  );
}
