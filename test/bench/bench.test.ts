import { expect } from 'chai';
import { withFigures, type Results } from './documents.js';
import { interleave } from './interleave.js';
import { parseOptions } from './options.js';
import { isRegression, median, outcome, percentile, reaches, type Figure, type Goal } from './outcome.js';
import { tableOf } from './report.js';
import { word, words } from './workload.js';

const silent = () => undefined;

function ratioOf(ours: number, beside: number, goal: Goal = { atMost: 1.6 }): Figure {
  return outcome(4, {
    what: 'first sync',
    unit: 'ms',
    ours: { name: 'ours', values: [ours] },
    beside: { name: 'floor', values: [beside] },
    goal,
  });
}

describe('The benchmark', () => {
  it('measures the same rows in every run, of about 200 bytes, with different keys', () => {
    expect(words(3, 5)).to.deep.equal([word(5), word(6), word(7)]);
    expect(words(2)).to.deep.equal(words(2));
    const rows = words(2000);
    expect(new Set(rows.map(([id]) => id)).size).to.equal(2000);
    for (const [id] of rows)
      expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    const bytes = rows.reduce((sum, row) => sum + Buffer.byteLength(row.join('')), 0) / rows.length;
    expect(bytes).to.be.within(170, 230);
  });

  it('runs the sides in turn', async () => {
    const order: string[] = [];
    const side = (name: string, figure: number) => () => {
      order.push(name);
      return figure;
    };
    const figures = await interleave(3, { a: side('a', 1), b: side('b', 2) }, silent);
    expect(order.join('')).to.equal('ababab');
    expect(figures).to.deep.equal({ a: [1, 1, 1], b: [2, 2, 2] });
  });

  it('takes medians and percentiles that are among the values', () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 2, 3])).to.equal(2.5);
    const hundred = Array.from({ length: 101 }, (_, at) => at);
    expect(percentile(hundred, 0.99)).to.equal(99);
    expect(percentile(hundred, 0.999)).to.equal(100);
    expect(() => median([])).to.throw(TypeError);
  });

  it('takes for a regression what exceeds the goal, or what was reached so far, by more than half', () => {
    expect(isRegression(ratioOf(239, 100))).to.equal(false);
    expect(isRegression(ratioOf(241, 100))).to.equal(true);
    const missed = { atMost: 1.6, soFar: 2 };
    expect(isRegression(ratioOf(299, 100, missed))).to.equal(false);
    expect(isRegression(ratioOf(301, 100, missed))).to.equal(true);
    expect(reaches(ratioOf(199, 100, missed))).to.equal(false);
    expect(isRegression(ratioOf(239, 100, { atMost: 1.6, soFar: 1 }))).to.equal(false);
  });

  it('judges by the ratio, and where there is none by the figure itself', () => {
    expect(reaches(ratioOf(160, 100))).to.equal(true);
    expect(reaches(ratioOf(161, 100))).to.equal(false);
    const alone = (value: number) =>
      outcome(10, {
        what: 'memory',
        unit: 'MiB',
        ours: { name: 'ours', values: [value] },
        goal: { atMost: 250 },
      });
    expect(reaches(alone(250))).to.equal(true);
    expect(reaches(alone(251))).to.equal(false);
  });

  it('says what was not measured instead of a figure', () => {
    const table = tableOf([
      ratioOf(200, 100),
      { measure: 6, what: 'few changes', notMeasured: 'no peers here' },
    ]);
    expect(table).to.include('ours: 200 ms').and.include('missed').and.include('not measured: no peers here');
  });

  it('shows figures in the documentation between its marks, with where they were measured', () => {
    const page =
      'Text\n<!-- figures: written by npm run bench -- --write-docs -->\nold\n<!-- end of figures -->\nend\n';
    const results: Results = {
      4: {
        date: '2026-01-02T03:04:05.000Z',
        cpu: 'A CPU',
        cores: 2,
        memoryGiB: 8,
        system: 'Linux 6',
        load: 0.1,
        versions: { Node: 'v20' },
        figures: [ratioOf(150, 100)],
      },
    };
    const shown = withFigures(page, results);
    expect(shown).to.include('| 4 | first sync | ours: 150 ms | floor: 100 ms | 1.5 | <= 1.6 | reached |');
    expect(shown).to.include('Measure 4: 2026-01-02 03:04 UTC, A CPU, 2 cores, 8 GiB, Linux 6, load 0.1');
    expect(shown).to.not.include('old');
    expect(withFigures(shown, results)).to.equal(shown);
    expect(() => withFigures('no marks', results)).to.throw(TypeError);
  });

  it('reads its options, and refuses wrong ones', () => {
    expect(parseOptions([])).to.deep.include({ quick: false, only: null, writeDocs: false });
    expect(parseOptions(['--only', '1,4', '--rows', '5000', '--runs', '2'])).to.deep.include({
      only: [1, 4],
    });
    expect(parseOptions(['--rows', '5000', '--runs', '2']).sizes).to.include({
      rows: 5000,
      small: 500,
      large: 50_000,
      runs: 2,
    });
    for (const wrong of [['--rows', 'many'], ['--runs', '0'], ['--fast'], ['--quick', '--write-docs']]) {
      expect(() => parseOptions(wrong), wrong.join(' ')).to.throw(TypeError);
    }
  });
});
