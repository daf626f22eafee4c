/** A table without colours whose cells wrap anywhere, since keys and values have no blanks to wrap at. */
export const NARROW = {
  style: { head: [], border: [] },
  wordWrap: true,
  wrapOnWordBoundary: false,
};
