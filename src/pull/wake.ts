/** Why a waiting loop goes on. */
export interface Call {
  /** A person or program asked: attempt it whatever failed before. */
  readonly triggered: boolean;
  /** From the start. */
  readonly full: boolean;
}

/** Wakes one loop. Calls that come while it is at work are kept as one, for when it waits again. */
export interface Wake {
  ring(call: Call): void;
  /** What was rung since the last `take`. */
  take(): Call;
  /** Resolves when rung, after `ms` (null: never by itself), or when the signal is aborted. */
  wait(ms: number | null, signal: AbortSignal): Promise<void>;
}

const NOTHING: Call = { triggered: false, full: false };
/** What `setTimeout` takes; above it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function createWake(): Wake {
  let pending: Call | null = null;
  let goOn: (() => void) | null = null;
  return {
    ring(call) {
      pending = {
        triggered: call.triggered || (pending?.triggered ?? false),
        full: call.full || (pending?.full ?? false),
      };
      goOn?.();
    },
    take() {
      const call = pending ?? NOTHING;
      pending = null;
      return call;
    },
    async wait(ms, signal) {
      if (pending !== null || signal.aborted) return;
      let timer: NodeJS.Timeout | undefined;
      const onAbort = () => goOn?.();
      await new Promise<void>((resolve) => {
        goOn = resolve;
        signal.addEventListener('abort', onAbort);
        if (ms !== null) timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS));
      });
      goOn = null;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
