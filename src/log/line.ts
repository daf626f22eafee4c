import { inspect } from 'node:util';
import { messageOf, SyncError } from '../errors.js';
import { escapeControls } from './escape.js';

/** What winston hands to a format: level, message and the fields of the call. */
export interface LogEntry {
  readonly level: string;
  readonly message: unknown;
  readonly [field: string]: unknown;
}

export interface LineOptions {
  readonly nowMs: number;
  /** Adds the stack of an `error` field. */
  readonly withStack: boolean;
}

/** `2026-01-31T12:00:00.000Z info  message peer=macbook durationMs=12` */
export function textLine(entry: LogEntry, options: LineOptions): string {
  const time = new Date(options.nowMs).toISOString();
  const fields = fieldsOf(entry, options).map(([name, value]) => ` ${name}=${textOf(value)}`);
  return escapeControls(`${time} ${entry.level.padEnd(5)} ${messageOf(entry.message)}${fields.join('')}`);
}

/** One JSON object with `time`, `level`, `message` and the fields. */
export function jsonLine(entry: LogEntry, options: LineOptions): string {
  const members: [string, unknown][] = [
    ['time', new Date(options.nowMs).toISOString()],
    ['level', entry.level],
    ['message', messageOf(entry.message)],
    ...fieldsOf(entry, options),
  ];
  const texts = members.map(([name, value]) => `${JSON.stringify(name)}:${jsonOf(value)}`);
  // JSON leaves C1 controls and line separators as they are; the same escape is legal inside its strings
  return escapeControls(`{${texts.join(',')}}`);
}

function fieldsOf(entry: LogEntry, options: LineOptions): [string, unknown][] {
  const fields: [string, unknown][] = [];
  for (const [name, value] of Object.entries(entry)) {
    if (name === 'level' || name === 'message' || name === 'stack' || value === undefined) continue;
    if (value instanceof Error) fields.push(...errorFields(name, value, options));
    else fields.push([name, value]);
  }
  return fields;
}

function errorFields(name: string, error: Error, options: LineOptions): [string, unknown][] {
  const fields: [string, unknown][] = [[name, error.message]];
  if (error instanceof SyncError) {
    fields.push([`${name}Code`, error.code]);
    if (error.hint !== undefined) fields.push([`${name}Hint`, error.hint]);
  }
  if (options.withStack) fields.push([`${name}Stack`, error.stack]);
  return fields;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
  return jsonOf(value);
}

/** A log line must never fail: what JSON can't write (a circle) is shown as Node would. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, jsonValue) ?? JSON.stringify(String(value));
  } catch {
    return JSON.stringify(inspect(value, { breakLength: Infinity }));
  }
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return value.message;
  return value;
}
