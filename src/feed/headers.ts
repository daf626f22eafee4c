import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** A page of ours loads its own files and asks its own routes, and nothing else. */
const CONTENT_SECURITY_POLICY = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

/** What keeps a browser from doing more with our answers than it should. */
export function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    frameguard: { action: 'deny' },
    // It would bind every other port of this host to HTTPS too.
    strictTransportSecurity: false,
  });
}
