import { BlockList, isIP } from 'node:net';

export interface ListenAddress {
  /** Without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

// host:port or [IPv6]:port
const HOST_AND_PORT = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([^\s/:?#@[\]]{1,253})):(\d{1,5})$/;
const MAX_PORT = 65_535;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** Reads `HOST:PORT` or `[IPv6]:PORT`; null for anything else. */
export function parseListen(text: string): ListenAddress | null {
  const match = HOST_AND_PORT.exec(text);
  if (match === null) return null;
  const [, bracketed, plain, digits] = match;
  const port = Number(digits);
  if (port > MAX_PORT || (bracketed !== undefined && isIP(bracketed) !== 6)) return null;
  return { host: bracketed ?? plain ?? '', port };
}

/** Whether only programs of this machine can reach the host. */
export function isLoopback(host: string): boolean {
  switch (isIP(host)) {
    case 4:
      return loopback.check(host, 'ipv4');
    case 6:
      return loopback.check(host, 'ipv6');
    default:
      return host.toLowerCase() === 'localhost';
  }
}

/**
 * A peer's `http://host:port`, `https://...` or `host:port` as a base URL without a trailing slash;
 * null for anything else, and for a URL with a user, a query or a fragment.
 */
export function parsePeerAddress(text: string): string | null {
  const hasScheme = /^https?:\/\//i.test(text);
  if (!hasScheme && !HOST_AND_PORT.test(text)) return null;
  if (/\s/.test(text)) return null;
  const address = hasScheme ? text : `http://${text}`;
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  if (url.hostname === '' || url.port === '0') return null;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return null;
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/**
 * The URL that an OpenTelemetry collector takes spans at. A URL without a path is completed as collectors have it;
 * null for anything else than `http://...` or `https://...`, and for a URL with a user, a query or a fragment.
 */
export function parseOtlpEndpoint(text: string): string | null {
  const address = /^https?:\/\//i.test(text) ? parsePeerAddress(text) : null;
  if (address === null) return null;
  return new URL(address).pathname === '/' ? `${address}/v1/traces` : address;
}
