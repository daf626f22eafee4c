import type { ReceivedPage } from './client.js';

/** Pages that are on their way, or wait to be applied. */
const MOST_AHEAD = 4;

/** Pages that wait to be applied have so many bytes in all before another is asked for; a usual one has 4 MiB at most. */
const MOST_BYTES_AHEAD = 16 * 1024 * 1024;

/** A page that has come, and the cursor that it was asked with. */
export interface CamePage extends ReceivedPage {
  readonly since: string;
}

interface Asked {
  readonly since: string;
  readonly page: Promise<ReceivedPage>;
  came: CamePage | null;
}

/** Asks for page after page while those before are applied. */
export class PagesAhead {
  /** In order; the first is the one that is applied now, or next. */
  private asked: readonly Asked[];

  /** `ask` asks for the page after a cursor; `ahead`: what the cursor stands for is not applied yet. `came`: one is there. */
  constructor(
    private readonly ask: (since: string, ahead: boolean) => Promise<ReceivedPage>,
    came: CamePage | null = null,
  ) {
    this.asked = came === null ? [] : [{ since: came.since, page: Promise.resolve(came), came }];
  }

  /** The page after a cursor, and those after that which have come by now. Rejects as the request for the first does. */
  async from(since: string): Promise<[CamePage, ...CamePage[]]> {
    const place = this.asked.findIndex((asked) => asked.since === since);
    this.asked = place < 0 ? [] : this.asked.slice(place);
    const first = this.asked[0] ?? this.begin(since, false);
    const page = { ...(await first.page), since };
    this.goOn();
    const rest = this.asked.slice(1).map(({ came }) => came);
    const missing = rest.indexOf(null);
    const further = missing < 0 ? rest : rest.slice(0, missing);
    return [page, ...further.filter((came) => came !== null)];
  }

  private begin(since: string, ahead: boolean): Asked {
    const asked: Asked = { since, page: this.ask(since, ahead), came: null };
    this.asked = [...this.asked, asked];
    asked.page.then(
      (page) => {
        asked.came = { ...page, since };
        this.goOn();
      },
      () => {
        // Whoever awaits it hears of its failure; where nobody does, the page is asked for again.
        if (this.asked[0] !== asked) this.asked = this.asked.filter((other) => other !== asked);
      },
    );
    return asked;
  }

  private goOn(): void {
    const newest = this.asked.at(-1);
    const next = newest?.came?.nextCursor ?? null;
    const waitingBytes = this.asked.reduce((sum, { came }) => sum + (came?.body.byteLength ?? 0), 0);
    if (next === null || next === newest?.since || this.asked.length >= MOST_AHEAD) return;
    if (waitingBytes > MOST_BYTES_AHEAD) return;
    this.begin(next, true);
  }
}
