/*
 * npm run screenshots [-- --seconds N]: writes the pictures of the dashboard in docs/images/, of three replicas that replicate for real
 * and a fourth that is away.
 */

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import type { Browser } from 'playwright-core';
import { ReplicaGroup, until, type Replica } from '../replication/group.js';
import { BROWSER_TIMEOUT_MS, launchChromium } from './browser.js';
import { findChromium } from './find-chromium.js';

const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const KEY = 'the-key-of-these-pictures-and-no-other';

/** The charts show five minutes, and are to show an ordinary day: the first rows have left them by then. */
const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '320' } } });
const WRITING_MS = Number(options.seconds) * 1000;

const SCHEMA = `
  CREATE TABLE words (
    id TEXT PRIMARY KEY, english TEXT NOT NULL, german TEXT, level INTEGER CHECK (level < 7), updated_at INTEGER
  );
  CREATE TABLE reviews (word_id TEXT, day TEXT, answer TEXT, updated_at INTEGER, PRIMARY KEY (word_id, day));
  CREATE TABLE decks (id TEXT PRIMARY KEY, title TEXT NOT NULL, updated_at INTEGER);
`;

const WORDS = [
  ['house', 'Haus'],
  ['tree', 'Baum'],
  ['river', 'Fluss'],
  ['street', 'Straße'],
  ['window', 'Fenster'],
  ['bread', 'Brot'],
  ['beautiful', 'schön'],
  ['cheese', 'Käse'],
] as const;

const PICTURES = [
  { file: 'dashboard.png', width: 1280, height: 1480, colorScheme: 'light' },
  { file: 'dashboard-dark.png', width: 1280, height: 1480, colorScheme: 'dark' },
  { file: 'dashboard-phone.png', width: 390, height: 1480, colorScheme: 'light' },
] as const;

const group = await ReplicaGroup.create({
  tables: [
    { name: 'words', timestamp_column: 'updated_at' },
    { name: 'reviews', timestamp_column: 'updated_at' },
    { name: 'decks', timestamp_column: 'updated_at' },
  ],
  peers: {
    desktop: ['macbook', 'server', 'laptop'],
    macbook: ['desktop'],
    server: ['desktop', 'macbook'],
    laptop: ['desktop'],
  },
  settings: { sync: { interval: '1s' }, network: { reconnect_interval: '5s' } },
});
try {
  await run();
} finally {
  await group.remove();
}

async function run(): Promise<void> {
  const chromium = findChromium();
  if (chromium === null)
    throw new Error(
      'Chromium is missing: install it (Debian: apt-get install chromium), or name one by CHROMIUM',
    );
  const [desktop, macbook, server, laptop] = ['desktop', 'macbook', 'server', 'laptop'].map((name) =>
    group.replica(name),
  ) as [Replica, Replica, Replica, Replica];
  for (const replica of group.replicas) {
    replica.environment = { SYNC_API_KEY: KEY };
    replica.create(SCHEMA);
    await replica.join();
  }
  const apps = [desktop, macbook, server].map(
    ({ database }) => new BetterSqlite3(database, { timeout: 20_000 }),
  );
  const [here, there] = apps as [Database, Database, Database];
  fill(here);
  await Promise.all([desktop, macbook, server, laptop].map((replica) => replica.start()));
  await until(() => rowsOf(there) > 0, 'the first rows at the macbook');
  await until(
    () => statusOf(desktop).then(({ peers }) => peers.every(({ acknowledged }) => acknowledged)),
    'all',
  );
  await laptop.stop();
  await write(apps, WRITING_MS);
  await park(desktop, macbook, here, there);
  const writing = new AbortController();
  const written = writeOn(apps, writing.signal);
  const browser = await launchChromium(chromium);
  try {
    mkdirSync(FOLDER, { recursive: true });
    for (const picture of PICTURES) await take(browser, desktop, picture);
  } finally {
    await browser.close();
    writing.abort();
    await written;
    for (const app of apps) app.close();
  }
}

function fill(app: Database): void {
  const word = app.prepare('INSERT INTO words VALUES (?, ?, ?, ?, ?)');
  const deck = app.prepare('INSERT INTO decks VALUES (?, ?, ?)');
  app.transaction(() => {
    for (let place = 0; place < 4_200; place += 1) {
      const [english, german] = WORDS[place % WORDS.length] ?? ['', ''];
      word.run(`w${place}`, english, german, place % 6, Date.now());
    }
    for (const title of ['Travel', 'Kitchen', 'Work']) deck.run(title.toLowerCase(), title, Date.now());
  })();
}

/** Ordinary programs that write, more at times and less at others. */
async function write(apps: readonly Database[], durationMs: number): Promise<void> {
  const endMs = Date.now() + durationMs;
  for (let turn = 0; Date.now() < endMs; turn += 1) await writeTurn(apps, turn);
}

async function writeOn(apps: readonly Database[], signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) await writeTurn(apps, turn);
}

async function writeTurn(apps: readonly Database[], turn: number): Promise<void> {
  for (const [place, app] of apps.entries()) {
    const busy = 1 + Math.round(3 * (1 + Math.sin(turn / 25 + place * 2)));
    for (let done = 0; done < busy; done += 1) writeOne(app, turn * 10 + done + place * 3_000);
  }
  await pause(400);
}

function writeOne(app: Database, seed: number): void {
  const [english, german] = WORDS[seed % WORDS.length] ?? ['', ''];
  if (seed % 3 === 0) {
    app
      .prepare('INSERT OR REPLACE INTO reviews VALUES (?, ?, ?, ?)')
      .run(`w${seed % 4_200}`, `2026-0${1 + (seed % 9)}-1${seed % 10}`, german, Date.now());
  } else if (seed % 7 === 0) {
    app.prepare('DELETE FROM reviews WHERE word_id = ?').run(`w${(seed - 1) % 4_200}`);
  } else {
    app
      .prepare('UPDATE words SET german = ?, english = ?, updated_at = ? WHERE id = ?')
      .run(`${german} ${seed % 100}`, english, Date.now(), `w${100 + (seed % 4_000)}`);
  }
}

/** A conflict and a change that the desktop refuses, made of what two people did at once. */
async function park(desktop: Replica, macbook: Replica, here: Database, there: Database): Promise<void> {
  await macbook.stop();
  here
    .prepare('UPDATE words SET german = ?, level = 3, updated_at = ? WHERE id = ?')
    .run('das Haus', Date.now(), 'w0');
  await pause(50);
  there
    .prepare('UPDATE words SET german = ?, level = 5, updated_at = ? WHERE id = ?')
    .run('Heim', Date.now(), 'w0');
  there.exec(`PRAGMA ignore_check_constraints = 1;
    INSERT INTO words VALUES ('w9001', 'eternity', 'Ewigkeit', 9, ${Date.now()}); PRAGMA ignore_check_constraints = 0`);
  await macbook.start();
  const parked = async (): Promise<boolean> => {
    const { conflicts, quarantined } = await statusOf(desktop);
    return conflicts > 0 && quarantined > 0;
  };
  await until(parked, 'a conflict and a change in quarantine', 60_000);
}

interface Status {
  readonly conflicts: number;
  readonly quarantined: number;
  readonly peers: readonly { readonly acknowledged: number | null }[];
}

async function statusOf(replica: Replica): Promise<Status> {
  return (await (await replica.fetch('/sync/status', { headers: { 'x-api-key': KEY } })).json()) as Status;
}

function rowsOf(app: Database): number {
  return app.prepare('SELECT count(*) FROM words').pluck().get() as number;
}

async function take(
  browser: Browser,
  { address }: Replica,
  { file, width, height, colorScheme }: (typeof PICTURES)[number],
): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  page.setDefaultTimeout(BROWSER_TIMEOUT_MS);
  page.on('console', (message) => {
    console.error(message.type(), message.text());
  });
  page.on('pageerror', (error) => {
    console.error(error);
  });
  await page.goto(address);
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Open the dashboard' }).click();
  await page.getByRole('article').first().waitFor();
  // Two looks, so that what is drawn by a first width is drawn.
  for (let look = 0; look < 2; look += 1) {
    await page.waitForResponse((response) => response.url().includes('/sync/activity'));
  }
  await page.screenshot({ path: FOLDER + file });
  await page.close();
}
