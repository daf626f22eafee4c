import { expect } from 'chai';
import BetterSqlite3 from 'better-sqlite3';
import type { Browser, Page } from 'playwright-core';
import { countOf } from '../replication/content.js';
import { SqliteShell, withPrograms } from '../replication/foreign-programs.js';
import { ReplicaGroup, until, type Replica } from '../replication/group.js';
import { BROWSER_TIMEOUT_MS, launchChromium } from './browser.js';
import { findChromium } from './find-chromium.js';
import { expectNoSideways, focusedName, openPage, signIn, violationsOf, type OpenPage } from './page.js';
import { HOSTILE, HOSTILE_SCHEMA, testShownValues } from './shown-values.js';

const KEY = 'a-key-that-only-this-test-knows-of';

/** Ann refuses what came from bob with a level of 7 or more, until she has mended that. */
const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, level INTEGER, updated_at INTEGER);
  CREATE TABLE rules (highest INTEGER);
  INSERT INTO rules VALUES (6);
  ${HOSTILE_SCHEMA}
`;
const ANNS_RULE = `
  CREATE TRIGGER rule BEFORE INSERT ON words WHEN NEW.level > (SELECT highest FROM rules)
  BEGIN SELECT RAISE(ABORT, 'the level is too high'); END;
`;

withPrograms(['chromium', 'sqlite3'], () => {
  describe('the dashboard', function () {
    this.timeout(120_000);
    let browser: Browser;
    let group: ReplicaGroup;
    let ann: Replica;
    let bob: Replica;
    let shell: SqliteShell;
    let opened: OpenPage;
    let page: Page;

    before(async () => {
      browser = await launchChromium(findChromium() ?? 'chromium');
      group = await ReplicaGroup.create({
        tables: ['words', HOSTILE].map((name) => ({ name, timestamp_column: 'updated_at' })),
        peers: { ann: ['bob'], bob: [] },
      });
      [ann, bob] = [group.replica('ann'), group.replica('bob')];
      for (const replica of [ann, bob]) {
        replica.environment = { SYNC_API_KEY: KEY };
        replica.create(replica === ann ? SCHEMA + ANNS_RULE : SCHEMA);
        await replica.join();
        await replica.start();
      }
      shell = new SqliteShell(ann.database);
    });

    after(async () => {
      await shell?.close();
      await group?.remove();
      await browser?.close();
    });

    beforeEach(async () => {
      opened = await openPage(browser, ann.address);
      page = opened.page;
    });

    afterEach(async () => {
      await opened.close();
    });

    const atBob = (sql: string): void => {
      const database = new BetterSqlite3(bob.database, { timeout: BROWSER_TIMEOUT_MS });
      database.exec(sql);
      database.close();
    };

    /** Two edits of one row that do not know of each other; bob's is the later one. */
    const disagree = async (id: string): Promise<void> => {
      const insert = (english: string, at: number): string =>
        `INSERT INTO words VALUES ('${id}', '${english}', 2, ${1_704_326_400_000 + at});`;
      await shell.run(insert('of ann', 1));
      atBob(insert('of bob', 2));
    };

    const enter = async (): Promise<void> => {
      await signIn(page, KEY);
      await page.getByRole('heading', { name: 'ann', level: 1 }).waitFor();
      await page.getByRole('heading', { name: 'The group' }).waitFor();
    };

    /** Presses the button that pulls all that bob has, and waits until that pull is over. */
    const syncNow = async (): Promise<void> => {
      await until(() => countOf(bob.database, '_sync_changes', 'origin IS NULL') === 0, 'the fold at bob');
      const from = ann.daemon.lines.length;
      await page.getByRole('button', { name: 'Sync now from bob' }).click();
      await ann.logged('pull finished', () => true, from);
    };

    testShownValues({
      opened: () => opened,
      databases: () => [ann.database, bob.database],
      enter: () => enter(),
      syncNow: () => syncNow(),
    });

    it('holds nothing of the replica before a key is entered, and refuses a wrong one', async () => {
      await page.getByLabel('API key').waitFor();
      expect(await page.content())
        .to.not.include('words')
        .and.not.include('bob');
      await signIn(page, 'not-the-key-of-this-replica-at-all');
      await page.getByText('That is not a key of this replica.').waitFor();
      expect(await page.evaluate('document.activeElement.id')).to.equal('key');
      expect(await page.evaluate('sessionStorage.length + localStorage.length')).to.equal(0);
      expect(opened.requests.filter((url) => url.includes('/sync/'))).to.have.length(1);
    });

    it('keeps the key for the tab alone, and forgets it at sign-out', async () => {
      await enter();
      await page.reload();
      await page.getByRole('heading', { name: 'ann', level: 1 }).waitFor();
      expect(await page.evaluate('localStorage.length + document.cookie.length')).to.equal(0);
      expect(opened.requests.filter((url) => url.includes(KEY))).to.deep.equal([]);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('API key').waitFor();
      expect(await page.evaluate('sessionStorage.length')).to.equal(0);
      expect(await page.content(), 'what is left of the replica')
        .to.not.include('bob')
        .and.not.include('words');
      await enter();
    });

    it('asks for the key in each tab, and shows in one what is done in the other', async () => {
      await disagree('tabs');
      await enter();
      await syncNow();
      const other = await page.context().newPage();
      await other.goto(ann.address);
      await signIn(other, KEY);
      const card = { name: 'words tabs' } as const;
      await other.getByRole('article', card).waitFor();
      await page.getByRole('article', card).getByRole('button', { name: 'Keep remote' }).click();
      await other.getByRole('article', card).waitFor({ state: 'detached' });
      await other.close();
    });

    it('looks seldom while nobody sees it, and at once when it is seen again', async () => {
      const looks = (): number => opened.requests.filter((url) => url.endsWith('/sync/status')).length;
      const look = () => page.waitForResponse((response) => response.url().endsWith('/sync/status'));
      const setHidden = (hidden: boolean) =>
        page.evaluate(
          `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
          document.dispatchEvent(new Event('visibilitychange'))`,
        );
      await page.clock.install();
      await enter();
      await setHidden(true);
      await Promise.all([look(), page.clock.runFor(2_000)]);
      const before = looks();
      await page.clock.runFor(50_000);
      expect(looks(), 'looks within 50 s').to.equal(before);
      await Promise.all([look(), setHidden(false)]);
    });

    it('says what begins to ask for attention once, whatever its figures do then', async () => {
      let skewMs = 6_000;
      await enter();
      await page.route('**/sync/status', async (route) => {
        const response = await route.fetch();
        const status = (await response.json()) as { peers: { pull: object }[] };
        skewMs += 1_000;
        for (const { pull } of status.peers) Object.assign(pull, { skew_ms: skewMs });
        await route.fulfill({ response, json: status });
      });
      await page.getByRole('link', { name: 'bob: clock +8 s' }).waitFor();
      expect(await page.getByRole('status').textContent()).to.equal('bob: clock +7 s.');
    });

    it('asks no other host, keeps to its policy and has nothing to complain of', async () => {
      const { headers } = await ann.fetch('/');
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).to.include("default-src 'self'").and.not.include('unsafe');
      await enter();
      await page.locator('canvas').first().waitFor();
      await page.waitForResponse((response) => response.url().includes('/sync/activity'));
      expect(opened.requests.length).to.be.greaterThan(10);
      expect(opened.requests.filter((url) => !url.startsWith(`${ann.address}/`))).to.deep.equal([]);
      expect(opened.complaints).to.deep.equal([]);
    });

    it('shows a row at once that another program writes', async () => {
      await enter();
      const changelog = page.getByRole('table', { name: 'Newest entries of the changelog' });
      await shell.run(`INSERT INTO words VALUES ('live', 'alive', 1, 1704326400000);`);
      await changelog.getByText('live', { exact: true }).waitFor();
      const tables = page.getByRole('table', { name: 'Replicated tables' });
      await tables.getByRole('row', { name: /^words 1 / }).waitFor();
      expect(opened.complaints).to.deep.equal([]);
    });

    it('pulls when asked to', async () => {
      await enter();
      atBob(`INSERT INTO words VALUES ('asked', 'asked for', 1, 1704326400000)`);
      await syncNow();
      expect(await shell.run(`SELECT english FROM words WHERE id = 'asked';`)).to.deep.equal(['asked for']);
      await page.getByRole('table', { name: 'Newest entries of the changelog' }).getByText('asked').waitFor();
      const from = ann.daemon.lines.length;
      await page.getByRole('button', { name: /^Full sync from bob/ }).click();
      await page.getByText('A full comparison with bob was asked for.').waitFor();
      await ann.logged('pull finished', () => true, from);
    });

    it('shows both rows of a conflict, and keeps the one that is chosen', async () => {
      await disagree('both');
      await enter();
      await syncNow();
      const card = page.getByRole('article', { name: 'words both' });
      const differing = card.getByRole('row', { name: /^english.* differs/ });
      await differing.waitFor();
      expect(await differing.getByRole('cell').allTextContents()).to.deep.equal(['of ann', 'of bob']);
      expect(await card.getByRole('row', { name: /^level(?!.*differs)/ }).count()).to.equal(1);
      expect(await shell.run(`SELECT english FROM words WHERE id = 'both';`)).to.deep.equal(['of bob']);
      await card.getByRole('button', { name: 'Keep local' }).click();
      await card.waitFor({ state: 'detached' });
      await page.getByText('No open conflicts').waitFor();
      expect(await shell.run(`SELECT english FROM words WHERE id = 'both';`)).to.deep.equal(['of ann']);
      expect(await page.evaluate('document.activeElement.id')).to.equal('conflicts-title');
    });

    it('says what keeps a conflict open, and overwrites a later edit only when told again', async () => {
      await disagree('later');
      await enter();
      await syncNow();
      atBob(`UPDATE words SET english = 'edited since', updated_at = 1704326400003 WHERE id = 'later'`);
      await syncNow();
      const card = page.getByRole('article', { name: 'words later' });
      await card.getByRole('button', { name: 'Keep local' }).click();
      await card.getByText('it is neither side now').waitFor();
      expect(await shell.run(`SELECT english FROM words WHERE id = 'later';`)).to.deep.equal([
        'edited since',
      ]);
      await card.getByRole('button', { name: /^Overwrite/ }).click();
      await card.waitFor({ state: 'detached' });
      expect(await shell.run(`SELECT english FROM words WHERE id = 'later';`)).to.deep.equal(['of ann']);
    });

    it('gives the reason of what is in quarantine, and applies it once that is mended', async () => {
      atBob(`INSERT INTO words VALUES ('high', 'too high', 9, 1704326400000)`);
      await enter();
      await syncNow();
      const card = page.getByRole('article', { name: 'words high' });
      await card.getByText('the level is too high').waitFor();
      await card.getByText('The row that waits').click();
      await card.getByText('too high', { exact: true }).waitFor();
      await card.getByRole('button', { name: 'Retry' }).click();
      await card.getByText('It was tried again and stays').waitFor();
      await shell.run('UPDATE rules SET highest = 9;');
      await card.getByRole('button', { name: 'Retry' }).click();
      await card.waitFor({ state: 'detached' });
      expect(await shell.run(`SELECT level FROM words WHERE id = 'high';`)).to.deep.equal(['9']);
    });

    it('says that a peer is lost, in words too, and that it is back', async () => {
      await enter();
      await bob.kill();
      await page.getByRole('button', { name: 'Sync now from bob' }).click();
      await page.getByRole('link', { name: 'bob: unreachable' }).waitFor();
      expect(
        await page.getByRole('img', { name: /^ann and its peers/ }).getAttribute('aria-label'),
      ).to.include('unreachable');
      await bob.start();
      await page.getByText('In step with 1 peer.').waitFor();
    });

    it('says so while the daemon does not answer, and goes on by itself', async () => {
      await enter();
      await ann.kill();
      await page.getByText('The daemon does not answer.').waitFor();
      await ann.start();
      await page.getByText('● Live').waitFor();
    });

    it('asks for the key again where the daemon takes it no more, and shows nothing meanwhile', async () => {
      const next = 'the-key-that-follows-on-the-first-one';
      await enter();
      for (const key of [next, KEY]) {
        await ann.kill();
        ann.environment = { SYNC_API_KEY: key };
        await ann.start();
        await page.getByText('That is not a key of this replica.').waitFor();
        expect(await page.getByLabel('API key').getAttribute('aria-invalid')).to.equal('true');
        expect(await page.content()).to.not.include('bob');
        await signIn(page, key);
        await page.getByText('● Live').waitFor();
      }
    });

    for (const colorScheme of ['light', 'dark'] as const) {
      it(`has nothing that keeps people out, with ${colorScheme} colours`, async () => {
        await disagree(colorScheme);
        await page.emulateMedia({ colorScheme });
        expect(await violationsOf(page)).to.deep.equal([]);
        await enter();
        await syncNow();
        await page.getByRole('article', { name: `words ${colorScheme}` }).waitFor();
        expect(await violationsOf(page)).to.deep.equal([]);
        await page.setViewportSize({ width: 390, height: 844 });
        expect(await violationsOf(page)).to.deep.equal([]);
      });
    }

    it('is used by the keyboard alone', async () => {
      await disagree('keyboard');
      await page.getByLabel('API key').waitFor();
      await page.keyboard.type(KEY);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'The group' }).waitFor();
      await syncNow();
      await page.getByRole('article', { name: 'words keyboard' }).waitFor();
      const wanted = await page.locator('#dashboard :is(a, button, summary):visible').count();
      const reached = new Set<string>();
      for (let times = 0; times < wanted + 5; times += 1) {
        await page.keyboard.press('Tab');
        reached.add(await focusedName(page));
      }
      expect([...reached]).to.include.members(['Sync all now', 'Sign out', 'Skip to the content']);
      expect([...reached].some((name) => name.startsWith('Keep local'))).to.equal(true);
      expect([...reached].some((name) => name.startsWith('Keep remote'))).to.equal(true);
      expect([...reached]).to.include('Sync now from bob');
      expect([...reached].some((name) => name.startsWith('Full sync from bob'))).to.equal(true);
      await page.getByRole('button', { name: 'Sync now from bob' }).focus();
      const from = ann.daemon.lines.length;
      await page.keyboard.press('Enter');
      await ann.logged('pull finished', () => true, from);
      await page.getByText('A pull from bob was asked for.').waitFor();
      // It stays there, also once the button has its own name again.
      await page.locator(':focus[aria-label="Sync now from bob"]').waitFor();
    });

    it('needs no scrolling sideways on a phone', async () => {
      const long = 'x'.repeat(300);
      await shell.run(`INSERT INTO words VALUES ('${long}', 'of ann ${long}', 1, 1704326400001);`);
      atBob(`INSERT INTO words VALUES ('${long}', 'of bob', 1, 1704326400002)`);
      await page.setViewportSize({ width: 390, height: 844 });
      await expectNoSideways(page);
      await enter();
      await syncNow();
      await page.getByRole('article', { name: `words ${'x'.repeat(240)}` }).waitFor();
      await expectNoSideways(page);
    });

    it('makes a backup when asked to', async () => {
      await enter();
      await page.getByRole('button', { name: 'Back up' }).click();
      await page.getByText(/^The backup .+ was made\.$/).waitFor();
      const answer = await ann.fetch('/sync/status', { headers: { 'x-api-key': KEY } });
      expect(await answer.json()).to.have.nested.property('backup.kept', 1);
      await page.getByText('Last backup').waitFor();
    });

    it('opens without a key where the replica has none', async () => {
      const alone = await ReplicaGroup.create({
        tables: [{ name: 'words', timestamp_column: 'updated_at' }],
        peers: { eve: [] },
      });
      try {
        const eve = alone.replica('eve');
        eve.create(SCHEMA);
        await eve.join();
        await eve.start();
        await page.goto(eve.address);
        await page.getByRole('heading', { name: 'eve', level: 1 }).waitFor();
        await page.getByText('No peers yet').waitFor();
        await page.getByText('No change yet').waitFor();
        expect(await page.getByRole('button', { name: 'Sign out' }).count()).to.equal(0);
      } finally {
        await alone.remove();
      }
    });
  });
});
