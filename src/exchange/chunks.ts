/** Reads lines and byte strings off a stream of chunks. Holds what was asked for and one chunk. */
export class Chunks {
  private rest: Uint8Array = Buffer.alloc(0);
  private readonly chunks: AsyncIterator<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** A line without its end; null at the end of the stream, or where no line ends within `most` bytes. */
  async line(most: number): Promise<string | null> {
    let line = Buffer.alloc(0);
    for (;;) {
      const end = this.rest.indexOf(0x0a);
      const part = end < 0 ? this.rest : this.rest.subarray(0, end);
      if (line.length + part.length > most) return null;
      line = Buffer.concat([line, part]);
      if (end >= 0) {
        this.rest = this.rest.subarray(end + 1);
        return line.toString('utf8');
      }
      if (!(await this.more())) return null;
    }
  }

  /** So many bytes; null where the stream ends before. Memory grows with what has come, not with what was asked for. */
  async take(count: number): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    for (let missing = count; ;) {
      const part = this.rest.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      this.rest = this.rest.subarray(part.length);
      if (missing === 0) return Buffer.concat(parts);
      if (!(await this.more())) return null;
    }
  }

  /** Whether everything was read. */
  async isAtEnd(): Promise<boolean> {
    return this.rest.length === 0 && !(await this.more());
  }

  private async more(): Promise<boolean> {
    const { done, value } = (await this.chunks.next()) as IteratorResult<Uint8Array, undefined>;
    if (done === true) return false;
    this.rest = value;
    return true;
  }
}
