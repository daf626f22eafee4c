import bytes from 'bytes';
import ms, { type StringValue } from 'ms';

const DURATION = /^\d{1,15}(ms|s|m|h|d)$/;
const SIZE = /^\d{1,12}(B|KB|MB|GB|TB)$/;

/** `500ms`, `30s`, `5m`, `1h`, `30d` in milliseconds; null for anything else. */
export function parseDurationMs(text: string): number | null {
  return DURATION.test(text) ? ms(text as StringValue) : null;
}

/** `50MB` (powers of 1024) in bytes; null for anything else. */
export function parseSizeBytes(text: string): number | null {
  return SIZE.test(text) ? bytes.parse(text) : null;
}
