import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { inspectTables } from '../database/check-tables.js';
import { openForReading } from '../database/open.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { appTriggersCheck } from './app-triggers.js';
import { backfillCheck } from './backfill.js';
import { certificateCheck } from './certificate.js';
import { attempt, runChecks, type Check } from './check.js';
import { conflictsCheck } from './conflicts.js';
import { diskCheck } from './disk.js';
import { fileCheck } from './file.js';
import { fileSystemCheck } from './file-system.js';
import { fine, type Finding } from './finding.js';
import { integrityCheck } from './integrity.js';
import { journalModeCheck } from './journal-mode.js';
import { keyCheck } from './key.js';
import { markFileCheck } from './mark-file.js';
import { openMigrated } from './migrated.js';
import { ntpCheck } from './ntp.js';
import { peerTablesCheck, type ProbedTables } from './peer-tables.js';
import { peersCheck } from './peers.js';
import { portCheck } from './port.js';
import { probePeers, type Probed } from './probe.js';
import { pruningCheck } from './pruning.js';
import { pullsCheck } from './pulls.js';
import { quarantineCheck } from './quarantine.js';
import { referencesCheck } from './references.js';
import { resolversCheck } from './resolvers.js';
import { skewCheck } from './skew.js';
import type { OpenDatabase, OpenReplica, OpenSchema, Setup } from './subjects.js';
import { tablesCheck } from './tables.js';
import { timestampsCheck } from './timestamps.js';
import { triggersCheck } from './triggers.js';
import { unfoldedCheck } from './unfolded.js';

const OF_SETUP: readonly Check<Setup>[] = [
  keyCheck,
  certificateCheck,
  resolversCheck,
  ntpCheck,
  portCheck,
  pullsCheck,
];
const OF_FILE: readonly Check<Setup>[] = [diskCheck, fileSystemCheck];
const OF_DATABASE: readonly Check<OpenDatabase>[] = [integrityCheck, journalModeCheck];
const OF_SCHEMA: readonly Check<OpenSchema>[] = [tablesCheck, appTriggersCheck, timestampsCheck];
const OF_REPLICA: readonly Check<OpenReplica>[] = [
  triggersCheck,
  backfillCheck,
  markFileCheck,
  unfoldedCheck,
  quarantineCheck,
  conflictsCheck,
  referencesCheck,
  pruningCheck,
];
const OF_PEERS: readonly Check<Probed>[] = [peersCheck, skewCheck];
const OF_PEER_TABLES: readonly Check<ProbedTables>[] = [peerTablesCheck];

/** What the checks after it need; each is a finding itself. */
const OPENED = 'sqlite';
const TABLES = 'tables';
const MIGRATED = 'migrated';

const FROM_TABLES_ON = [...namesOf(OF_SCHEMA), MIGRATED, ...namesOf(OF_REPLICA)];

export interface Examination {
  readonly findings: readonly Finding[];
  /** Names of the checks that could not be made, because of an error that was found before them. */
  readonly leftOut: readonly string[];
}

/** What was found in the database, and the configured tables that can be replicated; null where nobody can say. */
interface DatabaseExamination extends Examination {
  readonly ours: readonly ReplicatedTable[] | null;
}

/** Makes every check that can be made, one after the other. Writes nothing to the database. */
export async function examine(setup: Setup): Promise<Examination> {
  const configuration = { check: 'configuration', ...fine(`${setup.config.file} is sound`) };
  const ofSetup = await runChecks(OF_SETUP, setup);
  const { ours, ...ofFile } = await examineFile(setup);
  const probed = { ...setup, probes: await probePeers(setup.config, setup.finder ?? null) };
  const ofPeers = await runChecks(OF_PEERS, probed);
  const ofTables = ours === null ? [] : await runChecks(OF_PEER_TABLES, { ...probed, ours });
  return {
    findings: [configuration, ...ofSetup, ...ofFile.findings, ...ofPeers, ...ofTables],
    leftOut: [...ofFile.leftOut, ...(ours === null ? namesOf(OF_PEER_TABLES) : [])],
  };
}

async function examineFile(setup: Setup): Promise<DatabaseExamination> {
  const ofFile = await runChecks([fileCheck], setup);
  const missing = statSync(setup.config.database.path, { throwIfNoEntry: false })?.isFile() !== true;
  const deeper = [OPENED, ...namesOf(OF_DATABASE), ...FROM_TABLES_ON];
  if (missing) return { findings: ofFile, leftOut: [...namesOf(OF_FILE), ...deeper], ours: null };
  const findings = [...ofFile, ...(await runChecks(OF_FILE, setup))];
  const opened = await attempt(OPENED, () => openForReading(setup.config));
  if (!opened.done) {
    return { findings: [...findings, ...opened.findings], leftOut: deeper.slice(1), ours: null };
  }
  const database = opened.value;
  try {
    const ofDatabase = await examineDatabase(setup, database);
    const isDatabase = { check: OPENED, ...fine('the file is a SQLite database') };
    return { ...ofDatabase, findings: [...findings, isDatabase, ...ofDatabase.findings] };
  } finally {
    database.close();
  }
}

async function examineDatabase(setup: Setup, database: Database): Promise<DatabaseExamination> {
  const findings = await runChecks(OF_DATABASE, { ...setup, database });
  const inspected = await attempt(TABLES, () => inspectTables(setup.config, database));
  if (!inspected.done) {
    return { findings: [...findings, ...inspected.findings], leftOut: FROM_TABLES_ON.slice(1), ours: null };
  }
  const open = { ...setup, database, inspected: inspected.value };
  const ofReplica = await examineReplica(open);
  findings.push(...(await runChecks(OF_SCHEMA, open)), ...ofReplica.findings);
  return { findings, leftOut: ofReplica.leftOut, ours: inspected.value.tables };
}

async function examineReplica(open: OpenSchema): Promise<Examination> {
  const migrated = await attempt(MIGRATED, () => openMigrated(open));
  if (!migrated.done) return { findings: migrated.findings, leftOut: namesOf(OF_REPLICA) };
  const isMigrated = { check: MIGRATED, ...fine('prepared for replication by this release') };
  return { findings: [isMigrated, ...(await runChecks(OF_REPLICA, migrated.value))], leftOut: [] };
}

function namesOf<Subject>(checks: readonly Check<Subject>[]): string[] {
  return checks.map(({ name }) => name);
}
