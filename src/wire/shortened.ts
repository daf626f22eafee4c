/** Characters of a peer's own words that are shown, or kept with a reason. */
const MAX_SHOWN_LENGTH = 300;

/** What a peer has said, cut to what a person reads: no peer decides how long a line of ours is. */
export function shortened(text: string): string {
  if (text.length <= MAX_SHOWN_LENGTH) return text;
  return `${text.slice(0, MAX_SHOWN_LENGTH)}... (${text.length} characters)`;
}
