import { damaged } from './damaged.js';

/**
 * What stands between the strings of a page, in bytes: brackets, commas, numbers, quotation marks. Each of them may cost
 * 20 times its size once it is read, and a page of ours has so many only where it is built to cost. What makes real
 * pages large is text and base64.
 */
export const MAX_STRUCTURE_BYTES = 16 * 1024 * 1024;

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);

/** Throws `page_damaged` where JSON holds too much besides its strings, before it is parsed. Most are too short for that. */
export function requireModestStructure(body: Uint8Array, most = MAX_STRUCTURE_BYTES): void {
  if (body.length <= most) return;
  if (structureBytes(Buffer.from(body.buffer, body.byteOffset, body.byteLength), most) <= most) return;
  throw damaged('the page holds too many values');
}

/** Bytes outside of strings, quotation marks among them; counted until there are more than `most`. */
function structureBytes(body: Buffer, most: number): number {
  let found = 0;
  for (let at = 0; at < body.length && found <= most;) {
    const opened = body.indexOf(QUOTE, at);
    if (opened < 0) return found + body.length - at;
    found += opened - at + 2;
    at = endOfString(body, opened + 1);
  }
  return found;
}

/** The place after the quotation mark that ends a string; the end where none does. */
function endOfString(body: Buffer, from: number): number {
  for (let at = from; ; at += 1) {
    at = body.indexOf(QUOTE, at);
    if (at < 0) return body.length;
    if (backslashesBefore(body, at, from) % 2 === 0) return at + 1;
  }
}

function backslashesBefore(body: Buffer, place: number, from: number): number {
  let count = 0;
  while (place - count > from && body[place - count - 1] === BACKSLASH) count += 1;
  return count;
}
