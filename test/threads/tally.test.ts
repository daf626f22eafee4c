import { expect } from 'chai';
import { Writer } from '#src/threads/writer.js';
import { addWords, createDatabaseFile } from '../stand-ins/database-file.js';

describe('What a fold tells', () => {
  it('is once all that the thread has folded, also before something else', async () => {
    const { config, app } = await createDatabaseFile('ann');
    const writer = new Writer(config);
    await writer.open();
    expect((await writer.fold()).tally).to.deep.equal({ entries: 0, versions: 0 });
    addWords(app, 'a', 'b');
    app.exec(`UPDATE words SET english = 'edited' WHERE id = 'b'`);
    await writer.prune();
    expect(await writer.fold()).to.deep.include({ entries: 0, tally: { entries: 3, versions: 2 } });
    expect((await writer.fold()).tally).to.deep.equal({ entries: 0, versions: 0 });
    await writer.close();
    app.close();
  });
});
