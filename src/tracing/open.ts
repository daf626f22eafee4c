import type { Config } from '../config/config.js';
import type { Logger } from '../log/logger.js';
import { openTelemetry } from './open-telemetry.js';
import { UNTRACED, type Tracer } from './tracer.js';

/** The tracer that the configuration asks for. Rejects with `tracing_not_installed`. */
export function openTracer(config: Config, version: string, logger: Logger): Promise<Tracer> {
  const { otlpEndpoint: endpoint } = config.tracing;
  if (endpoint === null) return Promise.resolve(UNTRACED);
  return openTelemetry({ endpoint, node: config.node.id, version, logger });
}
