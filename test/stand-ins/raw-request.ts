import { connect } from 'node:net';

/** Nothing comes of a request after this long: it is held, or waits for more of itself. */
const MAX_ANSWER_MS = 1_000;
/** Of an answer, its beginning is kept. */
const MAX_KEPT_BYTES = 4_096;

export interface RawAnswer {
  /** The last, after "continue"; null where the connection was closed, or held, without one. */
  readonly status: number | null;
  /** The beginning of it, with its header. */
  readonly text: string;
}

/** Sends bytes as they are, whatever they are, on a connection of their own, and takes what comes until it is over. */
export function sendRaw(port: number, bytes: Uint8Array): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.setTimeout(MAX_ANSWER_MS, () => socket.destroy());
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      if (text.length < MAX_KEPT_BYTES) text += piece;
    });
    socket.on('error', () => {
      // A request that is cut off is an outcome: its connection closes.
    });
    socket.once('close', () => {
      const status = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].at(-1)?.[1];
      resolve({ status: status === undefined ? null : Number(status), text });
    });
  });
}
