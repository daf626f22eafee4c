import { applyPart, beginPage, takenBack, type PageInProgress, type PartDone } from '../apply/apply-page.js';
import type { ApplyClock } from '../apply/local.js';
import type { Changelog } from '../changelog/changelog.js';
import type { Page } from '../wire/page.js';
import type { ApplyRequest } from './calls.js';

/** A page, and the cursor that it was asked with. */
export interface AskedPage {
  readonly since: string;
  readonly page: Page;
}

/** What applying needs of the writer. */
export interface Applying {
  readonly changelog: () => Changelog;
  readonly clock: () => ApplyClock;
  /** How long the transaction that is open may hold the lock. */
  readonly boxMs: () => number;
  /** Folds what was written meanwhile, then runs work in the transaction of that. */
  readonly afterFold: <T>(work: () => T) => Promise<T>;
  /** Whether a page can be applied after those before it, or has to be looked at by itself. */
  readonly mayFollow: (page: Page) => boolean;
}

type Applied = PageInProgress & PartDone;

/**
 * Applies pages that lead on from one another, several to a transaction where there is time: half of what a commit costs
 * is the same for one page and for four. Returns the first of them that were applied, one at least; rejects as the
 * first does.
 */
export async function applyPages(
  applying: Applying,
  request: ApplyRequest,
  pages: readonly [AskedPage, ...AskedPage[]],
): Promise<Applied[]> {
  const applied: Applied[] = [];
  let progress = beginPage(pages[0].page);
  let together = true;
  for (;;) {
    const run: Run = new Run(applying, request, pages.slice(applied.length), together);
    try {
      await applying.afterFold(() => {
        run.apply(progress);
      });
    } catch (error) {
      // What was applied before it in this transaction has to be again.
      const again = run.isAtFirst ? takenBack(progress, error) : progress;
      if (again === null && applied.length === 0) throw error;
      // Asked for again, the page fails the same.
      if (again === null) return applied;
      together &&= run.isAtFirst;
      progress = again;
      continue;
    }
    applied.push(...run.whole);
    const next = pages[applied.length];
    if (run.part !== null) progress = run.part;
    else if (next === undefined || !applying.mayFollow(next.page)) return applied;
    else progress = beginPage(next.page);
  }
}

/** What one transaction applies. */
class Run {
  /** Pages that were applied to their end. */
  whole: Applied[] = [];
  /** How far the page after them has come; null where that was not begun. */
  part: PageInProgress | null = null;
  /** The page that was begun last. */
  private place = 0;

  constructor(
    private readonly applying: Applying,
    private readonly request: ApplyRequest,
    private readonly pages: readonly AskedPage[],
    private readonly together: boolean,
  ) {}

  /** Whether no page but the first was begun, so that a failure is its own, or of its commit. */
  get isAtFirst(): boolean {
    return this.place === 0;
  }

  /** Goes on with the first page, and then with those that follow, until the time is over. */
  apply(progress: PageInProgress): void {
    // It may be tried again, where another program had the lock.
    this.whole = [];
    this.part = null;
    this.place = 0;
    const endMs = performance.now() + this.applying.boxMs();
    for (let current = progress; ;) {
      const part = applyPart(this.applying.changelog(), current, this.options(endMs));
      if (!part.done) {
        this.part = { ...current, ...part };
        return;
      }
      this.whole.push({ ...current, ...part });
      const next = this.pages[this.whole.length];
      const mayGoOn = this.together && next !== undefined && performance.now() < endMs;
      if (!mayGoOn || !this.applying.mayFollow(next.page)) return;
      current = beginPage(next.page);
      this.place = this.whole.length;
    }
  }

  private options(endMs: number) {
    const { peer, epoch, pruned, skewsMs, file } = this.request;
    return {
      peer,
      epoch,
      since: this.pages[this.place]?.since ?? '',
      ...(pruned === undefined ? {} : { pruned }),
      imported: file?.claims === true ? file.sha256 : null,
      ...(skewsMs === undefined ? {} : { skewsMs }),
      boxMs: endMs - performance.now(),
      elapsedMs: () => performance.now(),
      ...this.applying.clock(),
    };
  }
}
