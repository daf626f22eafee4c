import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { randomNumbers } from '../random.js';

/** What a network does to what it carries. */
export const FAULTS = [
  'delay',
  'throttle',
  'refuse',
  'drop',
  'half-close',
  'truncate',
  'corrupt',
  'silence',
] as const;

export type Fault = (typeof FAULTS)[number];

export interface BadProxyOptions {
  /** Of the server on this machine that is reached through it. */
  readonly port: number;
  readonly seed: number;
  /** How likely a fault is, for each connection and each piece that it carries. */
  readonly rate?: number;
}

const MAX_DELAY_MS = 200;
const THROTTLED_BYTES = 512;
const THROTTLED_MS = 10;

/**
 * A TCP proxy on loopback that misbehaves while its faults are on, by a seed: how the pieces are cut, and so what
 * befalls which of them, is the system's. Knows nothing of what it carries.
 */
export class BadProxy {
  /** Which faults are on; none: it carries everything as it is. */
  faults: readonly Fault[] = [];
  /** How often each has come about. */
  readonly counts = new Map<Fault, number>();
  readonly #random: () => number;
  readonly #rate: number;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(private readonly target: BadProxyOptions) {
    this.#random = randomNumbers(target.seed);
    this.#rate = target.rate ?? 0.1;
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      this.#accept(client);
    });
  }

  static async listen(options: BadProxyOptions): Promise<BadProxy> {
    const proxy = new BadProxy(options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Turns all faults off, and ends the connections that may suffer from one. */
  heal(): void {
    this.faults = [];
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.heal();
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#draw(['refuse']) !== null) {
      client.on('error', ignore);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.target.port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', ignore);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        // What one side has lost, the other is told.
        (socket === client ? server : client).destroy();
      });
    }
    void this.#carry(client, server);
    void this.#carry(server, client);
  }

  /** Carries all that one side sends to the other, as well as the faults allow. */
  async #carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (!(await this.#pass(piece, to))) return;
      }
      to.end();
    } catch {
      // The side that fails is closed by that, and the other one with it.
      to.destroy();
    }
  }

  /** False where nothing more is to be carried this way. */
  async #pass(piece: Buffer, to: Socket): Promise<boolean> {
    const part = () => piece.subarray(0, Math.floor(this.#random() * piece.length));
    switch (this.#draw(['delay', 'throttle', 'drop', 'half-close', 'truncate', 'corrupt', 'silence'])) {
      case 'delay':
        await pause(this.#random() * MAX_DELAY_MS);
        to.write(piece);
        return true;
      case 'throttle':
        for (let at = 0; at < piece.length && !to.destroyed; at += THROTTLED_BYTES) {
          to.write(piece.subarray(at, at + THROTTLED_BYTES));
          await pause(THROTTLED_MS);
        }
        return true;
      case 'drop':
        to.write(part());
        to.resetAndDestroy();
        return false;
      case 'half-close':
        // One way is closed after this piece, the other stays open.
        to.end(piece);
        return false;
      case 'truncate':
        to.end(part());
        return false;
      case 'silence':
        to.write(part());
        return false;
      case 'corrupt':
        to.write(this.#corrupted(piece));
        return true;
      default:
        return to.write(piece) || this.#drained(to);
    }
  }

  async #drained(to: Socket): Promise<boolean> {
    await Promise.race([once(to, 'drain'), once(to, 'close')]);
    return !to.destroyed;
  }

  #corrupted(piece: Buffer): Buffer {
    const damaged = Buffer.from(piece);
    const place = Math.floor(this.#random() * piece.length);
    damaged[place] = (damaged[place] ?? 0) ^ (1 << Math.floor(this.#random() * 8));
    return damaged;
  }

  #draw(among: readonly Fault[]): Fault | null {
    const possible = among.filter((fault) => this.faults.includes(fault));
    if (possible.length === 0 || this.#random() >= this.#rate) return null;
    const fault = possible[Math.floor(this.#random() * possible.length)] ?? null;
    if (fault !== null) this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    return fault;
  }
}

function ignore(): void {
  // A connection that fails is closed, which is what is looked at.
}
