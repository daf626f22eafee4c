/** The answer of `GET /metrics`, read. */
export interface Exposition {
  /** Names of all metrics. */
  readonly names: readonly string[];
  /** The value of a sample by what stands before it; labels in the order of their names. Undefined: there is none. */
  sample(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** All samples of a name, by their labels. */
  samples(
    name: string,
  ): readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

export function parseExposition(text: string): Exposition {
  const names = [...text.matchAll(/^# TYPE (\S+) \S+$/gm)].map(([, name = '']) => name);
  const all = [...text.matchAll(/^([a-zA-Z_]\w*)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name = '', labels = '', value = '']) => ({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', of = '']) => [key, of]),
      ),
      value: value === '+Inf' ? Infinity : Number(value),
    }),
  );
  const keyOf = (labels: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(labels).sort());
  return {
    names,
    sample: (name, labels = {}) =>
      all.find((one) => one.name === name && keyOf(one.labels) === keyOf(labels))?.value,
    samples: (name) => all.filter((one) => one.name === name),
  };
}
