import { AskError, type Ask } from './ask.js';
import { buttonKey } from './buttons.js';
import { byId } from './dom.js';
import { bytes, readable } from './format.js';
import type { Model } from './model.js';

/** What is asked of the daemon when a button is pressed; resolves with what is then said. */
type Action = (ask: Ask, about: string) => Promise<string>;

const resolveBy =
  (keep: 'local' | 'remote', force: boolean): Action =>
  async (ask, id) => {
    await ask('POST', `/sync/conflicts/${id}/resolve`, { keep, force });
    return `Conflict ${id} is resolved: the ${keep} side was kept.`;
  };

const ACTIONS: Readonly<Record<string, Action>> = {
  async sync(ask, peer) {
    await ask('POST', '/sync/trigger', { peer });
    return `A pull from ${peer} was asked for.`;
  },
  async 'full-sync'(ask, peer) {
    await ask('POST', '/sync/full-sync', { peer });
    return `A full comparison with ${peer} was asked for.`;
  },
  async 'sync-all'(ask) {
    await ask('POST', '/sync/trigger-all');
    return 'A pull from every peer was asked for.';
  },
  async 'back-up'(ask) {
    const answer = await ask<{ status: 'made'; file: string; bytes: number } | { status: 'running' }>(
      'POST',
      '/sync/backup',
    );
    if (answer.status === 'running') return 'The backup is being made.';
    return `The backup ${answer.file} of ${bytes(answer.bytes)} was made.`;
  },
  async retry(ask, id) {
    const { released, reason } = await ask<{ released: boolean; reason: string | null }>(
      'POST',
      `/sync/quarantine/${id}/retry`,
    );
    if (released) return `Change ${id} has left the quarantine.`;
    throw new AskError(409, 'still_refused', `It was tried again and stays: ${reason ?? 'unknown'}.`, null);
  },
  'keep-local': resolveBy('local', false),
  'keep-remote': resolveBy('remote', false),
  'force-local': resolveBy('local', true),
  'force-remote': resolveBy('remote', true),
};

interface ActionParts {
  readonly model: Model;
  readonly ask: Ask;
  /** Draws the model again. */
  readonly show: () => void;
  /** Looks at the daemon again and draws. */
  readonly lookAgain: () => Promise<void>;
  /** Where the daemon takes the key no more. */
  readonly onRefusedKey: (error: AskError) => void;
}

/** Makes the buttons of the page do what they say, until the signal. */
export function listenForActions(parts: ActionParts, signal: AbortSignal): void {
  document.addEventListener(
    'click',
    (event) => {
      const pressed = event.target instanceof Element ? event.target.closest('[data-action]') : null;
      if (!(pressed instanceof HTMLElement)) return;
      void act(parts, pressed, signal);
    },
    { signal },
  );
}

async function act(parts: ActionParts, pressed: HTMLElement, signal: AbortSignal): Promise<void> {
  const { action: name = '', about = '' } = pressed.dataset;
  const { model, ask, show, lookAgain, onRefusedKey } = parts;
  const action = ACTIONS[name];
  const key = buttonKey(name, about);
  if (action === undefined || model.busy.has(key)) return;
  const section = pressed.closest('section');
  model.busy.add(key);
  model.refused.delete(key);
  show();
  try {
    const said = await action(ask, about);
    await lookAgain();
    if (!signal.aborted) say(said);
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    if (signal.aborted) return;
    if (error.status === 401) {
      onRefusedKey(error);
      return;
    }
    model.refused.set(key, error);
    say(`${error.message} ${error.hint ?? ''}`);
  } finally {
    model.busy.delete(key);
  }
  show();
  keepFocus(pressed, section);
}

/** A button that has gone with what it was about leaves the focus at the section that it was in. */
function keepFocus(pressed: HTMLElement, section: HTMLElement | null): void {
  if (pressed.isConnected || document.activeElement !== document.body) return;
  section?.querySelector<HTMLElement>('h2')?.focus();
}

/** How long it stays in sight. */
const SAID_MS = 8_000;
let saidTimer: ReturnType<typeof setTimeout> | undefined;

/** Tells it to who does not see it, and shows it for a while. */
export function say(text: string): void {
  clearTimeout(saidTimer);
  byId('said').textContent = readable(text);
  saidTimer = setTimeout(() => {
    byId('said').textContent = '';
  }, SAID_MS);
}
