import type { SecondAnswer } from './answers.js';
import { byId } from './dom.js';
import { duration } from './format.js';
import { SHOWN_SECONDS, type Model } from './model.js';
import uPlot from './uplot.js';

/** Seconds that one point stands for. */
const STEP_S = 5;
const HEIGHT = 190;

interface Line {
  readonly label: string;
  /** A custom property of the style sheet. */
  readonly colour: string;
  readonly dash: number[];
}

const RATE_LINES: readonly Line[] = [
  { label: 'written here', colour: '--line-1', dash: [] },
  { label: 'applied from peers', colour: '--line-2', dash: [6, 3] },
  { label: 'sent to peers', colour: '--line-3', dash: [2, 3] },
];

const LATENCY_LINES: readonly Line[] = [
  { label: '95 of 100 within', colour: '--line-2', dash: [6, 3] },
  { label: 'mean', colour: '--line-1', dash: [] },
];

export interface Charts {
  show(model: Model): void;
  remove(): void;
}

/** The two charts, drawn anew where the colours or the width change. */
export function createCharts(): Charts {
  const rates = byId('rates-chart');
  const latencies = byId('latency-chart');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let plots: uPlot[] = [];
  let last: Model | null = null;

  function draw(): void {
    for (const plot of plots) plot.destroy();
    plots = [
      plotIn(rates, RATE_LINES, { legend: byId('rates-legend'), text: rateText, isLog: false }),
      plotIn(latencies, LATENCY_LINES, { legend: byId('latency-legend'), text: duration, isLog: true }),
    ];
    if (last !== null) fill(last);
  }

  function fill(model: Model): void {
    const steps = stepsOf(model);
    const [rate, latency] = plots;
    const times = steps.map(({ atS }) => atS);
    rate?.setData([
      times,
      steps.map(({ captured }) => captured),
      steps.map(({ applied }) => applied),
      steps.map(({ served }) => served),
    ]);
    latency?.setData([times, steps.map(({ mostMs }) => mostMs), steps.map(({ meanMs }) => meanMs)]);
    describe(model);
  }

  const observer = new ResizeObserver(() => {
    for (const [index, box] of [rates, latencies].entries()) {
      const plot = plots[index];
      if (plot !== undefined && plot.width !== box.clientWidth && box.clientWidth > 0) {
        plot.setSize({ width: box.clientWidth, height: HEIGHT });
      }
    }
  });
  dark.addEventListener('change', draw);
  draw();
  observer.observe(rates);
  observer.observe(latencies);
  return {
    show(model) {
      last = model;
      fill(model);
    },
    remove() {
      dark.removeEventListener('change', draw);
      observer.disconnect();
      for (const plot of plots) plot.destroy();
      plots = [];
    },
  };
}

interface PlotOptions {
  readonly legend: HTMLElement;
  readonly text: (value: number) => string;
  readonly isLog: boolean;
}

function plotIn(box: HTMLElement, lines: readonly Line[], { legend, text, isLog }: PlotOptions): uPlot {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    font: `12px ${getComputedStyle(box).fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const tell = (plot: uPlot): void => {
    const at = plot.cursor.idx ?? plot.data[0].length - 1;
    for (const [index, part] of [...legend.querySelectorAll('dd')].entries()) {
      const shown = plot.data[index + 1]?.[at];
      part.textContent = shown === null || shown === undefined ? '–' : text(shown);
    }
  };
  return new uPlot(
    {
      width: Math.max(1, box.clientWidth),
      height: HEIGHT,
      padding: [10, 28, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: true },
        y: isLog
          ? { distr: 3, range: (_plot, min, max) => logRange(min, max) }
          : { range: (_plot, _min, max) => [0, Math.max(1, max * 1.15)] },
      },
      axes: [
        { ...axis, space: 80, size: 32, values: (_plot, splits) => splits.map(clock) },
        {
          ...axis,
          size: 64,
          values: (_plot, splits) => splits.map((value) => (isLog && !isDecade(value) ? '' : text(value))),
        },
      ],
      series: [
        {},
        ...lines.map(({ label, colour: name, dash }) => ({
          label,
          stroke: colour(name),
          width: 2,
          dash,
          spanGaps: true,
          points: { show: isLog, size: 5, fill: colour(name) },
        })),
      ],
      hooks: { setCursor: [tell], setData: [tell] },
    },
    [[], ...lines.map(() => [])],
    box,
  );
}

interface Step {
  readonly atS: number;
  readonly captured: number;
  readonly applied: number;
  readonly served: number;
  readonly meanMs: number | null;
  readonly mostMs: number | null;
}

/** The shown time in steps, the last of which is over. Rates are per second. */
function stepsOf({ seconds, nowS }: Model): Step[] {
  const endS = Math.floor(nowS / STEP_S) * STEP_S;
  return Array.from({ length: SHOWN_SECONDS / STEP_S }, (_, index) => {
    const startS = endS - SHOWN_SECONDS + index * STEP_S;
    const within = Array.from({ length: STEP_S }, (_, second) => seconds.get(startS + second));
    return stepOf(
      startS + STEP_S,
      within.filter((second) => second !== undefined),
    );
  });
}

function stepOf(atS: number, within: readonly SecondAnswer[]): Step {
  const rate = (of: (second: SecondAnswer) => number): number =>
    within.reduce((sum, second) => sum + of(second), 0) / STEP_S;
  const timed = within.filter(({ latency }) => latency !== null);
  const applied = timed.reduce((sum, second) => sum + second.applied, 0);
  const weighed = timed.reduce((sum, { latency, applied: rows }) => sum + (latency?.mean_ms ?? 0) * rows, 0);
  const most = timed.map(({ latency }) => latency?.most_ms ?? null).filter((ms) => ms !== null);
  return {
    atS,
    captured: rate((second) => second.captured),
    applied: rate((second) => second.applied),
    served: rate((second) => second.served),
    // A logarithmic scale has no place for 0.
    meanMs: applied === 0 ? null : Math.max(1, weighed / applied),
    mostMs: most.length === 0 ? null : Math.max(...most),
  };
}

/** What the charts show, for those who do not see them. */
function describe({ seconds, nowS }: Model): void {
  const minute = [...seconds.values()].filter(({ at_s }) => at_s > nowS - 60);
  const sum = (of: (second: SecondAnswer) => number): number =>
    minute.reduce((total, second) => total + of(second), 0);
  byId('rates-chart').setAttribute(
    'aria-label',
    `Changes in the last minute: ${sum((each) => each.captured)} written here, ` +
      `${sum((each) => each.applied)} applied from peers, ${sum((each) => each.served)} sent to peers.`,
  );
  const step = stepOf(nowS, minute);
  byId('latency-chart').setAttribute(
    'aria-label',
    step.meanMs === null
      ? 'No change came from a peer within the last minute.'
      : `Changes of the last minute were on their way for ${duration(step.meanMs)} on average.`,
  );
}

function rateText(value: number): string {
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)}/s`;
}

function logRange(min: number | null, max: number | null): [number, number] {
  const low = 10 ** Math.floor(Math.log10(Math.max(1, min ?? 10)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(1, max ?? 1000)));
  return [low, high > low ? high : low * 10];
}

function isDecade(value: number): boolean {
  return Number.isInteger(Math.log10(value));
}

function clock(atS: number): string {
  const date = new Date(atS * 1000);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
