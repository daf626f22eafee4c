import { listenForActions, say } from './actions.js';
import { AskError, askWith, type Ask } from './ask.js';
import { createCharts } from './charts.js';
import { byId } from './dom.js';
import { showTables, showTail } from './lists-view.js';
import { emptyModel, lookInto, type Model } from './model.js';
import { findingsOf, showAttention, showFigures, showHeader } from './overview.js';
import { showConflicts, showQuarantine } from './parked-view.js';
import { showPeers, showPicture } from './peers-view.js';
import { poll } from './poll.js';

/** The key stays as long as the tab does. */
const KEY_ITEM = 'sqlite-p2p-sync-key';

/** Until the daemon says whether it wants a key. */
const BEGIN_AGAIN_MS = 2_000;

/** The dashboard as it is before anything of a replica is in it. */
const blank = byId('dashboard').cloneNode(true);

async function begin(): Promise<void> {
  let needsKey: boolean;
  try {
    const access = await askWith(null)<{ needs_key: boolean }>('GET', '/dashboard/access.json');
    needsKey = access.needs_key;
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    show('dashboard');
    byId('first-look').textContent = error.message;
    setTimeout(() => void begin(), BEGIN_AGAIN_MS);
    return;
  }
  const key = sessionStorage.getItem(KEY_ITEM);
  if (needsKey && key === null) signIn(null);
  else open(needsKey ? key : null);
}

/** Shows the form for the key; `fault` says why again. */
function signIn(fault: AskError | null): void {
  sessionStorage.removeItem(KEY_ITEM);
  document.title = 'Sign in · sqlite-p2p-sync';
  show('sign-in');
  const input = byId('key') as HTMLInputElement;
  input.value = '';
  showFault(fault);
  input.focus();
}

/** A fault of the page's own: it looks no more, and the console says why. */
const PAGE_FAILED = new AskError(0, 'page_failed', 'This page has failed.', 'Load it again.');

async function tryKey(): Promise<void> {
  const input = byId('key') as HTMLInputElement;
  const submit = byId('sign-in-submit');
  const key = input.value.trim();
  if (key === '' || submit.getAttribute('aria-disabled') === 'true') return;
  submit.setAttribute('aria-disabled', 'true');
  showFault(null);
  try {
    if (!isHeaderValue(key)) throw new AskError(401, 'unauthorized', 'A key has no such characters.', null);
    await askWith(key)('GET', '/sync/status');
    sessionStorage.setItem(KEY_ITEM, key);
    input.value = '';
    open(key);
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    showFault(error);
    input.select();
    input.focus();
  } finally {
    submit.removeAttribute('aria-disabled');
  }
}

/** What a header can carry. */
function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function showFault(fault: AskError | null): void {
  const text =
    fault === null ? '' : fault.status === 401 ? 'That is not a key of this replica.' : fault.message;
  byId('sign-in-fault').textContent = text;
  byId('key').setAttribute('aria-invalid', String(fault !== null));
}

function show(which: 'sign-in' | 'dashboard'): void {
  byId('sign-in').hidden = which !== 'sign-in';
  byId('dashboard').hidden = which !== 'dashboard';
}

/** Shows the replica until the key is given up. */
function open(key: string | null): void {
  const model = emptyModel();
  const ask: Ask = askWith(key);
  const look = lookInto(model, ask);
  const end = new AbortController();
  show('dashboard');
  byId('sign-out').hidden = key === null;
  const charts = createCharts();

  const draw = (): void => {
    if (!end.signal.aborted) drawAll(model);
  };
  const lookAgain = async (): Promise<void> => {
    await look(true);
    if (end.signal.aborted) return;
    tellChanges(model);
    draw();
    charts.show(model);
  };
  const leave = (fault: AskError | null): void => {
    // An answer that comes late must not end the session after this one.
    if (end.signal.aborted) return;
    stopPolling();
    end.abort();
    charts.remove();
    byId('dashboard').replaceWith(blank.cloneNode(true));
    signIn(fault);
  };
  const tellChanges = announcer();
  const stopPolling = poll(
    async () => {
      await look(false);
      if (end.signal.aborted) return;
      tellChanges(model);
      draw();
      charts.show(model);
    },
    (error) => {
      if (end.signal.aborted) return;
      if (error instanceof AskError && error.status === 401) {
        leave(error);
        return;
      }
      model.lost = error instanceof AskError ? error : PAGE_FAILED;
      draw();
      if (!(error instanceof AskError)) throw error;
    },
  );
  listenForActions({ model, ask, show: draw, lookAgain, onRefusedKey: leave }, end.signal);
  byId('sign-out').addEventListener(
    'click',
    () => {
      leave(null);
    },
    { signal: end.signal },
  );
  const observer = new ResizeObserver(draw);
  observer.observe(byId('picture'));
  end.signal.addEventListener('abort', () => {
    observer.disconnect();
  });
}

function drawAll(model: Model): void {
  const { status } = model;
  byId('first-look').hidden = status !== null;
  if (status === null) {
    byId('first-look').textContent = model.lost?.message ?? 'Asking the daemon…';
    return;
  }
  byId('content').hidden = false;
  showHeader(model, status);
  showAttention(model, status);
  showPicture(status);
  showFigures(status);
  showPeers(model, status);
  showTables(model);
  showTail(model, status);
  showConflicts(model, status);
  showQuarantine(model, status);
}

/** Says what begins to ask for attention, and that nothing does any more: once, not at every look. */
function announcer(): (model: Model) => void {
  let known: ReadonlySet<string> | null = null;
  return ({ status }) => {
    if (status === null) return;
    const found = findingsOf(status);
    const fresh = found.filter(({ about }) => known?.has(about) === false);
    if (fresh.length > 0) say(`${fresh.map(({ text }) => text).join('. ')}.`);
    else if (known !== null && known.size > 0 && found.length === 0)
      say('Nothing asks for attention any more.');
    known = new Set(found.map(({ about }) => about));
  };
}

byId('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void tryKey();
});
void begin();
