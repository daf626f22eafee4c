import { createHash } from 'node:crypto';

/** The one table of the benchmark; its rows take about 200 bytes. */
export const SCHEMA = `CREATE TABLE words (
  id TEXT PRIMARY KEY, english TEXT, chinese TEXT, pronunciation TEXT, updated_at INTEGER, deleted_at INTEGER
)`;

/** id, english, chinese, pronunciation, updated_at (ms), deleted_at. */
export type Word = readonly [string, string, string, string, number, null];

/** 2024-01-01: no clock is behind it, so that no row counts as written in the future. */
const FIRST_UPDATE_MS = 1_704_067_200_000;

const ENGLISH_WORDS = 9;
const CHINESE_CHARACTERS = 16;
const SYLLABLES = 6;

const FIRST_CHINESE = 0x4e00;
const COMMON_CHINESE = 2500;

const ONSETS = ['b', 'ch', 'd', 'f', 'g', 'h', 'j', 'l', 'm', 'n', 'p', 'r', 's', 'sh', 't', 'zh'];
const RHYMES = [
  'a',
  'ai',
  'an',
  'ang',
  'ao',
  'e',
  'ei',
  'en',
  'eng',
  'i',
  'ia',
  'ian',
  'o',
  'ong',
  'ou',
  'u',
];

/** The row of this number: the same in every run, on every machine, with a key that looks like a random UUID. */
export function word(number: number): Word {
  const bytes = createHash('sha512').update(`word ${number}`).digest();
  const hex = bytes.toString('hex', 0, 16);
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  const english = Array.from({ length: ENGLISH_WORDS }, (_, at) => englishWord(bytes.readUInt16LE(16 + at)));
  const chinese = Array.from({ length: CHINESE_CHARACTERS }, (_, at) =>
    String.fromCharCode(FIRST_CHINESE + (bytes.readUInt16LE(26 + at) % COMMON_CHINESE)),
  );
  const spoken = Array.from(
    { length: SYLLABLES },
    (_, at) => `${syllable(bytes[44 + at] ?? 0)}${1 + (at % 4)}`,
  );
  return [id, english.join(' '), chinese.join(''), spoken.join(' '), FIRST_UPDATE_MS + number, null];
}

/** Rows `first` to `first + count - 1`. */
export function words(count: number, first = 0): Word[] {
  return Array.from({ length: count }, (_, at) => word(first + at));
}

function englishWord(random: number): string {
  const { length } = VOCABULARY;
  return VOCABULARY[random % length] ?? '';
}

function syllable(random: number): string {
  return `${ONSETS[random & 15] ?? ''}${RHYMES[random >> 4] ?? ''}`;
}

/** 4,096 words of two syllables and some more letters, as a text has them. */
const VOCABULARY = Array.from({ length: 4096 }, (_, at) => syllable(at & 255) + (ONSETS[at >> 8] ?? ''));
