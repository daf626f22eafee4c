import { expect } from 'chai';
import { requireModestStructure } from '#src/wire/json-structure.js';
import { thrownBy } from '../thrown.js';

describe('the structure of a page', () => {
  const refusal = (json: string, most: number) =>
    thrownBy(() => {
      requireModestStructure(Buffer.from(json), most);
    });

  it('may hold text of any size', () => {
    for (const text of ['x'.repeat(1000), '[],{'.repeat(250), '\\"'.repeat(500), `${'\\\\'.repeat(500)}`]) {
      requireModestStructure(Buffer.from(`["${text}"]`), 4);
      expect(refusal(`["${text}"]`, 3).code).to.equal('page_damaged');
    }
  });

  it('is refused where there is much of it, closed or not', () => {
    for (const json of ['['.repeat(100), '{},'.repeat(40), '"",'.repeat(40), `["a",${'1'.repeat(100)}]`]) {
      expect(refusal(json, 90).message).to.contain('too many values');
      requireModestStructure(Buffer.from(json), 200);
    }
  });
});
