import Table from 'cli-table3';
import { isMeasured, median, reaches, type Figure, type Goal, type Outcome, type Side } from './outcome.js';

export const HEAD = ['', 'measure', 'ours', 'beside', 'ratio', 'goal', ''] as const;

/** The figures as rows of a table. */
export function rowsOf(figures: readonly Figure[]): string[][] {
  return figures.map((figure) => {
    const number = String(figure.measure);
    if (!isMeasured(figure))
      return [number, figure.what, '', '', '', '', `not measured: ${figure.notMeasured}`];
    const { what, unit, ours, beside, ratio, goal } = figure;
    return [
      number,
      what,
      sideText(ours, unit),
      beside === null ? '' : sideText(beside, unit),
      ratio === null ? '' : shortNumber(ratio),
      goal === null ? '' : goalText(goal, figure),
      goal === null ? '' : reaches(figure) ? 'reached' : 'missed',
    ];
  });
}

export function tableOf(figures: readonly Figure[]): string {
  const table = new Table({ head: [...HEAD], style: { head: [], border: [] } });
  table.push(...rowsOf(figures));
  return table.toString();
}

/** Median, unit, and the range of the runs where there are several. */
function sideText({ values, name }: Side, unit: string): string {
  const range =
    values.length > 1 ? ` (${shortNumber(Math.min(...values))}–${shortNumber(Math.max(...values))})` : '';
  return `${name}: ${shortNumber(median(values))} ${unit}${range}`;
}

function goalText({ atMost }: Goal, { ratio, unit }: Outcome): string {
  return `<= ${shortNumber(atMost)}${ratio === null ? ` ${unit}` : ''}`;
}

/** Three digits are what such a measure can say. */
function shortNumber(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
