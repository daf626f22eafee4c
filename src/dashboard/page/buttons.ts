import { h } from './dom.js';
import { foreign } from './format.js';
import type { Model } from './model.js';

export interface ButtonOptions {
  /** One of `actions.ts`, with what it is about. */
  readonly action: string;
  readonly about?: string;
  readonly text: string;
  /** What it does, where several buttons have the same text. */
  readonly label?: string;
  readonly kind?: 'main' | 'plain';
  /** What is said meanwhile. */
  readonly busyText: string;
}

/** By which a button, what it waits for and what was refused are told apart. */
export function buttonKey(action: string, about = ''): string {
  return `${action} ${about}`;
}

/** A button stays where it is, with the focus, while what it asked for is under way. */
export function button(model: Model, options: ButtonOptions): HTMLElement {
  const { action, about = '', text, label = text, kind = 'plain', busyText } = options;
  const key = buttonKey(action, about);
  const busy = model.busy.has(key);
  return h(
    'button',
    {
      type: 'button',
      'data-key': key,
      'data-action': action,
      'data-about': about,
      class: kind === 'main' ? 'main' : null,
      'aria-label': label === text ? null : busy ? `${busyText} ${label}` : label,
      'aria-disabled': busy ? 'true' : null,
    },
    busy ? busyText : text,
  );
}

/** What was refused, beside the button that asked. */
export function refusal(model: Model, key: string): HTMLElement | null {
  const error = model.refused.get(key);
  if (error === undefined) return null;
  return h(
    'p',
    { class: 'refusal', 'data-key': `refusal ${key}` },
    h('strong', {}, foreign(error.message)),
    ...(error.hint === null ? [] : [' ', foreign(error.hint)]),
  );
}
