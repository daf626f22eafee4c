/**
 * The first rows that hold no more than that together, and the first of all whatever it holds. `textsOf` are those of a
 * row that count.
 */
export function withinBytes<Row>(
  rows: Iterable<Row>,
  textsOf: (row: Row) => readonly string[],
  maxBytes: number,
): Row[] {
  const taken: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    for (const text of textsOf(row)) bytes += Buffer.byteLength(text);
    if (bytes > maxBytes && taken.length > 0) break;
    taken.push(row);
  }
  return taken;
}
