import { createAttempts } from '#src/pull/attempts.js';
import { createPeerClient } from '#src/pull/client.js';
import type { PullParts } from '#src/pull/pull.js';
import { Turns } from '#src/pull/turns.js';
import { openConnection } from '#src/pull/request.js';
import { testConfig, type ConfigOptions } from '../stand-ins/config.js';
import type { MemoryDatabase } from '../stand-ins/memory-database.js';

/** What a pull from macbook at this address into this database needs. Close its client afterwards. */
export function pullInto(
  database: MemoryDatabase,
  address: string,
  options: ConfigOptions = {},
  rest: Partial<PullParts> = {},
): PullParts {
  const config = testConfig(options);
  const connection = openConnection({
    name: 'macbook',
    address,
    apiKey: null,
    connectTimeoutMs: config.network.connectTimeoutMs,
    requestTimeoutMs: config.network.requestTimeoutMs,
  });
  return {
    peer: 'macbook',
    client: createPeerClient(connection, config.node.id, Date.now),
    attempts: createAttempts('macbook', config.network),
    reader: database.reader,
    writer: database.writer,
    pageSize: config.sync.pageSize,
    clock: config.clock,
    admit: () => Promise.resolve(),
    turns: new Turns(),
    onSkew: () => undefined,
    onPage: () => undefined,
    now: Date.now,
    ...rest,
  };
}
