import { expect } from 'chai';
import { sharedFileSystem } from '#src/doctor/file-system.js';
import { createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';
import { expectFinding, findingsOf, reconfigure } from './diagnosis.js';

const GOOD_MS = 1_704_326_400_000;

describe('doctor looks at the times of rows', function () {
  this.timeout(60_000);
  let ann: DatabaseFile;

  beforeEach(async () => {
    ann = await createDatabaseFile('ann');
    ann.app.prepare("INSERT INTO words VALUES ('good', 'x', ?), ('none', 'x', NULL)").run(GOOD_MS);
  });
  afterEach(() => ann.app.close());

  const write = (value: unknown) => ann.app.prepare("INSERT INTO words VALUES ('odd', 'x', ?)").run(value);

  it('and finds nothing wrong with plausible ones', () =>
    expectFinding(ann.file, 'timestamps', 'ok', 'words.updated_at: the times of 1 rows'));

  it('and names those that are no times', async () => {
    write('yesterday');
    await expectFinding(
      ann.file,
      'timestamps',
      'warning',
      '1 of 2 values of words.updated_at',
      'timestamp_format',
    );
  });

  it('and names those that lie ahead', async () => {
    write(Date.now() + 3_600_000);
    await expectFinding(ann.file, 'timestamps', 'warning', 'lie ahead of this clock', 'clock');
  });

  it('and names those of a wrong unit', async () => {
    write(1_704_326_400);
    reconfigure(ann.file, {
      tables: [{ name: 'words', timestamp_column: 'updated_at', timestamp_format: 'unix_ms' }],
    });
    await expectFinding(ann.file, 'timestamps', 'warning', 'before 1980', 'unit');
  });

  it('where there are some', async () => {
    reconfigure(ann.file, { tables: [{ name: 'words' }] });
    expect(await findingsOf(ann.file, 'timestamps')).to.deep.equal([]);
  });
});

describe('doctor looks at the file system', function () {
  this.timeout(60_000);

  it('and finds nothing wrong with a local disk', async () => {
    const { file, app } = await createDatabaseFile('ann');
    app.close();
    await expectFinding(file, 'file_system', 'ok', '');
  });

  it('and knows those that machines share by the numbers of Linux', () => {
    expect([0x6969, 0xff534d42, 0x01021997].map(sharedFileSystem)).to.deep.equal([
      'NFS',
      'CIFS',
      '9p (a folder of another system)',
    ]);
    // ext4, tmpfs, overlayfs
    expect([0xef53, 0x01021994, 0x794c7630].map(sharedFileSystem)).to.deep.equal([null, null, null]);
  });
});
