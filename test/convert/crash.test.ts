import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { printedSeed, randomNumbers } from '../random.js';
import { runCliWell, startCli } from '../replication/command-line.js';
import { queryRow } from '../replication/content.js';
import { scratchFolder } from '../scratch.js';
import { createShop, SHOP, SHOP_TABLES } from './shop.js';

const KILLS = 8;
/** So many rows that the conversion itself takes a while. */
const MANY = `${SHOP}
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  INSERT INTO posts (order_id, body) SELECT 7, 'row ' || i FROM n;`;

describe('convert-ids, killed', function () {
  this.timeout(180_000);

  it('leaves the old content or the new one at any moment, and can be run again', async () => {
    const random = randomNumbers(printedSeed(KILLS));
    const args = (file: string) => ['convert-ids', '--db', file, '--out', scratchFolder(), ...SHOP_TABLES];
    const timed = createShop(MANY);
    const startedMs = performance.now();
    await runCliWell(args(timed));
    const tookMs = performance.now() - startedMs;
    let file = createShop(MANY);
    let converted = 0;
    for (let round = 0; round < KILLS; round += 1) {
      const program = startCli(args(file));
      await pause(random() * tookMs);
      await program.end('SIGKILL');
      const [orders, posts, items, joined] = queryRow(
        file,
        `SELECT (SELECT group_concat(DISTINCT typeof(id)) FROM "order"), (SELECT group_concat(DISTINCT typeof(id) || typeof(order_id)) FROM posts),
          (SELECT group_concat(DISTINCT typeof(order_id)) FROM items), (SELECT count(*) FROM posts p JOIN "order" o ON o.id = p.order_id)`,
      );
      expect(joined).to.equal(20_003);
      expect([orders, posts, items].join(' ')).to.be.oneOf([
        'integer integerinteger integer',
        'text texttext text',
      ]);
      expect(queryRow(file, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      expect(
        queryRow(file, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_convert%' ESCAPE '\\'"),
      ).to.deep.equal([0]);
      if (orders !== 'text') continue;
      converted += 1;
      file = createShop(MANY);
    }
    await runCliWell(args(file));
    expect(existsSync(`${file}.converting`)).to.equal(false);
    expect(queryRow(file, 'SELECT typeof(id) FROM posts')).to.deep.equal(['text']);
    // A kill may leave an unfinished backup with its journal, which no later run takes for its own.
    const journals = readdirSync(dirname(file)).filter((name) => name.endsWith('-journal'));
    expect(journals.filter((name) => !name.includes('.unfinished'))).to.deep.equal([]);
    expect(converted).to.be.at.most(KILLS);
  });
});
