import { escapeControls } from '../log/escape.js';

// what YAML reads as text when it stands without quotes: names, paths, URLs, and IPv4 with a port; not .7 or .inf
const PLAIN = /^(?:(?:[A-Za-z_/]|\.{1,2}\/)[\w./-]*|\d+(?:\.\d+){3}(?=:))(?::[\w./-]+)*$/;
// YAML 1.1 readers know more words than YAML 1.2
const RESERVED = /^(null|true|false|yes|no|on|off|y|n)$/i;

/** Text as one YAML scalar on one line, safe from `${}` expansion; quoted as in JSON, which YAML reads alike. */
export function yamlScalar(text: string): string {
  if (PLAIN.test(text) && !RESERVED.test(text)) return text;
  return escapeControls(JSON.stringify(text.replaceAll('${', () => '$${')));
}

/** One name as it is, several as a list. */
export function yamlNames(names: readonly string[]): string {
  const [only] = names;
  return names.length === 1 && only !== undefined
    ? yamlScalar(only)
    : `[${names.map(yamlScalar).join(', ')}]`;
}
