import { expect } from 'chai';
import BetterSqlite3 from 'better-sqlite3';
import { BROWSER_TIMEOUT_MS } from './browser.js';
import { expectNoSideways, type OpenPage } from './page.js';

/** The name of a table, and what is written in it: turned round, markup, and longer than a line. */
export const HOSTILE = '\u202e<img src=x onerror="document.title=1"><b>' + 'long'.repeat(40);

const QUOTED = `"${HOSTILE.replaceAll('"', '""')}"`;

/** Its columns take any value. */
export const HOSTILE_SCHEMA = `CREATE TABLE ${QUOTED} (id TEXT PRIMARY KEY, value, updated_at INTEGER);`;

export interface ShownReplicas {
  /** The page of the first of them. */
  readonly opened: () => OpenPage;
  /** Files of two replicas, the first of which pulls from the second. */
  readonly databases: () => readonly [string, string];
  readonly enter: () => Promise<void>;
  readonly syncNow: () => Promise<void>;
}

/** Defines the tests of how values look, of replicas that others set up. */
export function testShownValues({ opened, databases, enter, syncNow }: ShownReplicas): void {
  /** Two values by a key; the second one is the later, and wins. */
  const disagree = (values: Readonly<Record<string, readonly [unknown, unknown]>>): void => {
    for (const [side, file] of databases().entries()) {
      const database = new BetterSqlite3(file, { timeout: BROWSER_TIMEOUT_MS });
      const insert = database.prepare(`INSERT INTO ${QUOTED} VALUES (?, ?, ?)`);
      for (const [id, pair] of Object.entries(values)) insert.run(id, pair[side], 1_704_326_400_001 + side);
      database.close();
    }
  };

  it('shows what others wrote as text, however it is meant', async () => {
    disagree({ [HOSTILE]: ['<script>document.title=2</script>', '\u2069\u202eturned'] });
    const { page } = opened();
    await enter();
    await syncNow();
    const card = page.getByRole('article').filter({ hasText: '<script>' });
    await card.getByText('\\u2069\\u202eturned').waitFor();
    expect(await page.locator('#content :is(img, script, b)').count()).to.equal(0);
    expect(await page.locator('body').innerText()).to.not.match(/[\u202e\u2069]/);
    expect(await page.title()).to.include('ann');
    await expectNoSideways(page);
    expect(opened().complaints).to.deep.equal([]);
    await card.getByRole('button', { name: 'Keep local' }).click();
    await card.waitFor({ state: 'detached' });
  });

  it('shows in what two values differ that look alike', async () => {
    const long = 'x'.repeat(600);
    const cases = {
      long: [`${long}of ann`, `${long}of bob`, /^….+of ann \(606 characters\)$/, /of bob/],
      blanks: ['a\u00a0b ', 'a b', 'a\\u{a0}b␣', 'a␣b'],
      accents: ['caf\u00e9', 'cafe\u0301', 'caf\u00e9', 'cafe\\u{301}'],
      bytes: [Buffer.from([1, 2, 3, 4]), Buffer.from([1, 2, 3, 5]), /from byte 4: 04/, /from byte 4: 05/],
      kinds: ['7', 7n, '7 (text)', '7 (number)'],
    } as const;
    const pairs = Object.entries(cases).map(([id, [a, b]]) => [id, [a, b]] as const);
    disagree(Object.fromEntries(pairs));
    const { page } = opened();
    await enter();
    await syncNow();
    for (const [id, [, , here, there]] of Object.entries(cases)) {
      const card = page.getByRole('article', { name: new RegExp(` ${id}$`) });
      const row = card.getByRole('row', { name: /^value/ });
      await row.waitFor();
      const shown = await row.getByRole('cell').allTextContents();
      for (const [side, wanted] of [here, there].entries()) {
        if (wanted instanceof RegExp) expect(shown[side], id).to.match(wanted);
        else expect(shown[side], id).to.equal(wanted);
      }
      await card.getByRole('button', { name: 'Keep local' }).click();
      await card.waitFor({ state: 'detached' });
    }
  });
}
