import type { CommandDefinition, ExitStatus } from '../cli/command.js';
import type { Config } from '../config/config.js';
import { isColoured } from './coloured.js';
import { examine } from '../doctor/examine.js';
import type { DaemonAnswer } from '../doctor/subjects.js';
import { SyncError } from '../errors.js';
import { findOnce } from '../replica/find-peers.js';
import type { StatusReport } from '../replica/status.js';
import { programVersion } from '../replica/version.js';
import { openDaemon, type Daemon } from './daemon.js';
import { doctorText, type DoctorReport } from './doctor-text.js';

export const command: CommandDefinition = {
  name: 'doctor',
  summary: 'look for what keeps the replica from working, and say how to mend it',
  configure: () => undefined,
  async run(context): Promise<ExitStatus> {
    const config = context.loadConfig();
    const daemon = await askDaemon(config);
    const { findings, leftOut } = await examine({
      config,
      daemon,
      version: programVersion(),
      nowMs: Date.now(),
      finder: await findOnce(config, config.peers, context.logger),
    });
    const count = (wanted: string) => findings.filter(({ level }) => level === wanted).length;
    const report: DoctorReport = {
      node: config.node.id,
      running: daemon.running,
      errors: count('error'),
      warnings: count('warning'),
      findings,
      left_out: leftOut,
    };
    context.print(doctorText(report, isColoured(context)));
    context.printJson(report);
    return report.errors === 0 ? 0 : 1;
  },
};

async function askDaemon(config: Config): Promise<DaemonAnswer> {
  let daemon: Daemon;
  try {
    daemon = await openDaemon(config);
  } catch (error) {
    return { running: false, status: null, error: operating(error) };
  }
  try {
    const status = (await daemon.ask({ method: 'GET', path: '/sync/status' })) as StatusReport;
    return { running: true, status, error: null };
  } catch (error) {
    return { running: true, status: null, error: operating(error) };
  } finally {
    await daemon.close();
  }
}

function operating(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  throw error;
}
