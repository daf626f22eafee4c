import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { documentAt, PROJECT } from './documents.js';

const SOURCE = readdirSync(join(PROJECT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('demo'))
  .map((file) => readFileSync(join(PROJECT, 'src', file), 'utf8'))
  .join('\n')
  .replaceAll(String.raw`\'`, "'");

/** The rows of the tables under one heading, as cells. */
function rowsUnder(text: string, heading: string): string[][] {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/^\| (`.+) \|$/gm)].map(([, row = '']) => row.split(' | '));
}

function codeIn(cell = ''): string {
  return /^`(.*)`$/.exec(cell)?.[1] ?? '';
}

describe('docs/troubleshooting.md', () => {
  const { text } = documentAt('docs/troubleshooting.md');
  const ofErrors = ['At the command line', 'About a peer'].flatMap((heading) => rowsUnder(text, heading));
  const ofLog = rowsUnder(text, 'In the log of the daemon');

  it('lists messages that the program says', () => {
    const messages = [...ofErrors, ...ofLog].map(([cell]) => codeIn(cell));
    expect(messages).to.have.length.above(25);
    expect(messages.filter((message) => message === '' || !SOURCE.includes(message))).to.deep.equal([]);
  });

  it('gives each error the code that it has', () => {
    const codes = ofErrors.map(([, cell]) => codeIn(cell));
    expect(codes.filter((code) => !SOURCE.includes(`'${code}'`))).to.deep.equal([]);
  });

  it('tells of every warning and error that the daemon logs', () => {
    const logged = [...SOURCE.matchAll(/logger\.(?:warn|error)\(\s*'([^']+)'/g)].map(
      ([, message = '']) => message,
    );
    const known = ofLog.map(([cell]) => codeIn(cell));
    const untold = new Set(logged.filter((message) => !known.some((each) => message.includes(each))));
    expect([...untold]).to.deep.equal([]);
  });

  it('is completed by the codes in docs/operations.md', () => {
    const { text: operations } = documentAt('docs/operations.md');
    const thrown = [...SOURCE.matchAll(/new SyncError\(\s*'([a-z_]+)'/g)].map(([, code = '']) => code);
    const untold = new Set(
      thrown.filter((code) => !operations.includes(`\`${code}\``) && !text.includes(`\`${code}\``)),
    );
    untold.delete(OF_THE_END);
    expect([...untold]).to.deep.equal([]);
  });
});

/** What ends with the replica itself is told to nobody. */
const OF_THE_END = 'stopping';
