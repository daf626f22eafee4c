const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** What takes two columns of a terminal: the scripts of East Asia with their marks, and pictures. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u3000-\u303e\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6]/u;
const HALF = /[\uff61-\uffdc]/;
const PICTURE = /\p{Emoji_Presentation}|\ufe0f/u;
const NO_COLUMN = /[\u0300-\u036f]/;

/** Columns that a text of one line takes on a terminal; rather too many where terminals differ. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const { segment } of GRAPHEMES.segment(text)) columns += columnsOfGrapheme(segment);
  return columns;
}

/** A text in pieces of so many columns at most, cut between two characters; one piece where it is empty. */
export function piecesOf(text: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let columns = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    const more = columnsOfGrapheme(segment);
    if (columns + more > width && piece !== '') {
      pieces.push(piece);
      [piece, columns] = ['', 0];
    }
    piece += segment;
    columns += more;
  }
  return [...pieces, piece];
}

function columnsOfGrapheme(grapheme: string): number {
  if (PICTURE.test(grapheme)) return 2;
  return [...grapheme].reduce((sum, character) => sum + columnsOfCharacter(character), 0);
}

function columnsOfCharacter(character: string): number {
  if (NO_COLUMN.test(character)) return 0;
  return WIDE.test(character) && !HALF.test(character) ? 2 : 1;
}
