import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { scratchFolder } from '../scratch.js';
import { findChromium } from './find-chromium.js';

describe('The browser of the tests', () => {
  it('is what CHROMIUM names, or Chromium on PATH, or Chrome before the hint at a snap', () => {
    const folder = scratchFolder();
    const put = (place: string, name: string): string => {
      const path = join(folder, place, name);
      mkdirSync(join(folder, place), { recursive: true });
      writeFileSync(path, '', { mode: 0o755 });
      return path;
    };
    const PATH = [join(folder, 'first'), join(folder, 'second')].join(':');
    expect(findChromium({ PATH })).to.equal(null);
    put('first', 'chromium-browser');
    const chrome = put('second', 'google-chrome');
    expect(findChromium({ PATH })).to.equal(chrome);
    const chromium = put('second', 'chromium');
    expect(findChromium({ PATH })).to.equal(chromium);
    expect(findChromium({ PATH, CHROMIUM: '/opt/chrome/chrome' })).to.equal('/opt/chrome/chrome');
  });
});
