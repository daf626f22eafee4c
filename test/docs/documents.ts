import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** A Markdown file of the project. */
export interface Document {
  /** Relative to the project, e.g. `docs/protocol.md`. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block: what stands after its opening fence, and its lines as one text. */
export interface Block {
  readonly info: string;
  readonly text: string;
}

export function documentAt(path: string): Document {
  return { path, text: readFileSync(join(PROJECT, path), 'utf8') };
}

/** README, CHANGELOG and everything in `docs/` and its folders. */
export function allDocuments(): Document[] {
  const inDocs = readdirSync(join(PROJECT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  );
  return ['README.md', 'CHANGELOG.md', ...inDocs.sort().map((name) => `docs/${name}`)].map(documentAt);
}

const FENCED = /^( *)```([^\n]*)\n([\s\S]*?)^\1```$/gm;

export function blocksOf({ text }: Document): Block[] {
  return [...text.matchAll(FENCED)].map(([, , info = '', content = '']) => ({
    info: info.trim(),
    text: content,
  }));
}

/** What is written as code: the spans between backticks, and the lines of shell blocks with `\` joined. */
export function codeOf(document: Document): string[] {
  const prose = document.text.replace(FENCED, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  const lines = blocksOf(document)
    .filter(({ info }) => info.split(' ')[0] === 'sh')
    .flatMap(({ text }) => text.replace(/\\\n\s*/g, '').split('\n'));
  return [...spans, ...lines.map((line) => line.trim())].filter((code) => code !== '');
}

/** Where a relative link of a document leads: a path relative to the project, and a heading there. */
export interface Link {
  readonly path: string;
  readonly anchor: string | null;
}

export function relativeLinksOf(document: Document): Link[] {
  const prose = document.text.replace(FENCED, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? document.path : join(document.path, '..', file);
      return { path, anchor: anchor ?? null };
    });
}

/** The anchors of a document's headings, as code hosts make them. */
export function anchorsOf({ text }: Document): string[] {
  const prose = text.replace(FENCED, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
