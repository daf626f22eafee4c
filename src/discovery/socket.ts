import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';

export const MDNS_PORT = 5353;

export interface SocketParts {
  /** Whether a packet is handed on to the library. */
  readonly admit: (packet: Buffer, sender: string) => boolean;
  /** Told what the socket, or the library on a packet, has failed with. */
  readonly onFault: (error: unknown) => void;
}

/**
 * The socket that the mDNS library works on, in front of the real one. The library would end the process: by the
 * `error` event of a socket, and by an exception while it reads a hostile packet. Neither gets through here.
 */
export class GuardedSocket extends EventEmitter {
  readonly #socket: Socket;
  readonly #parts: SocketParts;
  #memberships = 0;

  private constructor(socket: Socket, parts: SocketParts) {
    super();
    this.#socket = socket;
    this.#parts = parts;
    socket.on('error', parts.onFault);
    socket.on('message', (packet, sender) => {
      this.#receive(packet, sender);
    });
  }

  /** Rejects where the port can't be had; other mDNS programs of this machine share it. */
  static async open(port: number, parts: SocketParts): Promise<GuardedSocket> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    try {
      // Bound to one interface's own address, multicast would not arrive on Linux.
      socket.bind(port, '0.0.0.0');
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      throw error;
    }
    return new GuardedSocket(socket, parts);
  }

  /** Interfaces on which multicast is heard. */
  get memberships(): number {
    return this.#memberships;
  }

  #receive(packet: Buffer, sender: RemoteInfo): void {
    if (!this.#parts.admit(packet, sender.address)) return;
    try {
      this.emit('message', packet, sender);
    } catch (error) {
      this.#parts.onFault(error);
    }
  }

  addMembership(group: string, interfaceAddress: string): void {
    this.#socket.addMembership(group, interfaceAddress);
    this.#memberships += 1;
  }

  dropMembership(group: string, interfaceAddress: string): void {
    this.#socket.dropMembership(group, interfaceAddress);
  }

  setMulticastTTL(ttl: number): void {
    this.#socket.setMulticastTTL(ttl);
  }

  setMulticastLoopback(on: boolean): void {
    this.#socket.setMulticastLoopback(on);
  }

  setMulticastInterface(address: string): void {
    this.#socket.setMulticastInterface(address);
  }

  send(...args: [Buffer, number, number, number, string, (error: Error | null) => void]): void {
    this.#socket.send(...args);
  }

  close(done: () => void): void {
    this.#socket.close(done);
  }
}
