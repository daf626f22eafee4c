import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { loadConfig } from '#src/config/load.js';
import { configSchema } from '#src/config/schema.js';
import { keysAt } from '#src/config/schema-keys.js';
import { packageRoot } from '#src/package-root.js';
import { scratchFile } from '../scratch.js';

const EXAMPLE = join(packageRoot, 'docs', 'config.example.yaml');

describe('docs/config.example.yaml', () => {
  const content = parse(readFileSync(EXAMPLE, 'utf8')) as Record<string, unknown>;

  it('can be loaded', () => {
    expect(loadConfig(EXAMPLE, {}).tables.map((table) => table.name)).to.deep.equal(['words', 'progress']);
  });

  it('holds every key there is', () => {
    const sections = keysAt(configSchema, []);
    expect(Object.keys(content).sort()).to.deep.equal([...sections].sort());
    for (const section of sections) {
      const value = content[section];
      const [entry, path] = Array.isArray(value)
        ? [value[0] as object, [section, 0]]
        : [value as object, [section]];
      const keys = keysAt(configSchema, path);
      if (keys.length > 0) expect(Object.keys(entry).sort(), section).to.deep.equal([...keys].sort());
    }
  });

  it('shows the defaults', () => {
    const shown = loadConfig(EXAMPLE, {});
    const defaults = loadConfig(scratchFile('node: { id: desktop }\ndatabase: { path: x }'), {});
    for (const section of [
      'sync',
      'network',
      'clock',
      'security',
      'retention',
      'tracing',
      'log',
      'timestampColumnPatterns',
    ] as const) {
      expect(shown[section], section).to.deep.equal(defaults[section]);
    }
    expect({ ...shown.backup, dir: '' }).to.deep.equal({ ...defaults.backup, dir: '' });
    expect(shown.node.listen).to.deep.equal(defaults.node.listen);
    expect({ ...shown.database, path: '' }).to.deep.equal({ ...defaults.database, path: '' });
  });

  it('explains every key in a comment', () => {
    const lines = readFileSync(EXAMPLE, 'utf8').split('\n');
    for (const [index, line] of lines.entries()) {
      const isKey = /^ {2}\w+: /.test(line);
      const previous = lines[index - 1] ?? '';
      // breaker_cooldown shares the comment of the key before it
      if (isKey && !line.includes('breaker_cooldown')) expect(previous, line).to.match(/^ {2}# /);
    }
  });
});
