import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a replica and its peer, and counts the bytes of both directions. */
export interface CountingProxy {
  readonly port: number;
  /** Bytes that passed since the last call, headers and all. */
  take(): number;
  end(): Promise<void>;
}

/** Listens on loopback and passes everything on to this port. */
export async function startProxy(port: number): Promise<CountingProxy> {
  let bytes = 0;
  const open = new Set<Socket>();
  const pass = (from: Socket, to: Socket) => {
    open.add(from);
    from.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    from.pipe(to);
    // a side that breaks off ends the other; what that means is for the two to find out
    from.on('error', () => to.destroy());
    from.on('close', () => {
      open.delete(from);
      to.end();
    });
  };
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    pass(client, target);
    pass(target, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = bytes;
      bytes = 0;
      return taken;
    },
    async end() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
