import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What a database answered to a statement. */
export interface Answer {
  /** Python's repr of all rows. */
  readonly rows?: string;
  readonly rowcount?: number;
  /** SQLite's name of the error, e.g. `SQLITE_CONSTRAINT_UNIQUE`. */
  readonly error?: string;
  readonly message?: string;
  readonly changes: number;
  readonly last_insert_rowid: number;
  readonly in_transaction: boolean;
}

/** One Python process that runs every statement on two databases. */
export class TwoDatabases {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly answers: AsyncIterator<string>;
  private errors = '';

  constructor() {
    const script = fileURLToPath(new URL('two-databases.py', import.meta.url));
    this.child = spawn('python3', [script]);
    this.child.stderr.on('data', (text: Buffer) => (this.errors += text.toString()));
    this.answers = createInterface(this.child.stdout)[Symbol.asyncIterator]();
  }

  async open(plain: string, captured: string): Promise<void> {
    await this.ask({ open: [plain, captured] });
  }

  async run(sql: string): Promise<{ plain: Answer; captured: Answer }> {
    const [plain, captured] = (await this.ask({ sql })) as [Answer, Answer];
    return { plain, captured };
  }

  async close(): Promise<void> {
    await this.ask({ close: true });
  }

  end(): void {
    this.child.stdin.end();
  }

  private async ask(request: object): Promise<unknown> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await this.answers.next();
    if (line.done === true) throw new Error(`Python ended: ${this.errors}`);
    return JSON.parse(line.value);
  }
}
