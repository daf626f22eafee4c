import { basename } from 'node:path';
import { json, Router, type RequestHandler } from 'express';
import { z } from 'zod';
import { SyncError } from '../errors.js';
import type { BackupControl, FeedParts, PullControl } from './feed.js';
import { settledWithin } from './settled-within.js';

/** A control request names a peer and nothing else. */
const MAX_BODY_BYTES = 16 * 1024;

/** A request for a backup is answered by then; the backup goes on. */
const MAX_BACKUP_WAIT_MS = 5_000;

const peerBody = z.object({ peer: z.string().min(1).max(500) });

/** What a person or script asks of the running daemon: status, and pulls at once. */
export function controlRoutes(parts: FeedParts): Router {
  const router = Router();
  const body = json({ limit: MAX_BODY_BYTES });
  router.get('/sync/status', async (_request, response) => {
    response.json(await parts.status());
  });
  router.get('/nodes', async (_request, response) => {
    response.json(await parts.nodes());
  });
  router.post('/sync/trigger', body, triggerRoute(parts.pulls, false));
  router.post('/sync/full-sync', body, triggerRoute(parts.pulls, true));
  router.post('/sync/trigger-all', (_request, response) => {
    response.status(202).json({ status: 'triggered', peers: parts.pulls.triggerAll() });
  });
  router.post('/sync/backup', backupRoute(parts.backups));
  router.post('/sync/reload-peers', (_request, response) => {
    response.json({ status: 'reloaded', added: parts.pulls.reload() });
  });
  return router;
}

function triggerRoute(pulls: PullControl, full: boolean): RequestHandler {
  return (request, response) => {
    const asked = peerBody.safeParse(request.body);
    if (!asked.success) {
      throw new SyncError('bad_request', 'the request names no peer', {
        hint: 'Send JSON such as {"peer":"macbook"}, with content-type: application/json.',
      });
    }
    const peer = pulls.trigger(asked.data.peer, full);
    if (peer === null) {
      throw new SyncError('unknown_peer', `no peer "${asked.data.peer}" is configured here`, {
        hint: 'Peers are named under peers: in the configuration, each with a name and an address.',
      });
    }
    response.status(202).json({ status: 'triggered', peer });
  };
}

/** 200 with the backup, or 202 while it is being made: then `status` tells what becomes of it. */
function backupRoute(backups: BackupControl): RequestHandler {
  return async (_request, response) => {
    const made = backups.make();
    if (!(await settledWithin(made, MAX_BACKUP_WAIT_MS))) {
      response.status(202).json({ status: 'running' });
      return;
    }
    const { file, bytes } = await made;
    response.json({ status: 'made', file: basename(file), bytes });
  };
}
