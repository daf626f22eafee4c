import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import type { DoctorReport } from '#src/commands/doctor-text.js';
import type { Finding, Level } from '#src/doctor/finding.js';
import { runMain } from '../cli/captured.js';

/** What `doctor --json` says of a configuration; its exit code has to fit. */
export async function diagnose(configFile: string): Promise<DoctorReport> {
  const { status, stdout, stderr } = await runMain(['doctor', '--json', '--config', configFile]);
  if (stdout === '') throw new Error(stderr);
  const report = JSON.parse(stdout) as DoctorReport;
  expect(status, stdout).to.equal(report.findings.some(({ level }) => level === 'error') ? 1 : 0);
  return report;
}

/** What one check has found. */
export async function findingsOf(configFile: string, check: string): Promise<Finding[]> {
  return (await diagnose(configFile)).findings.filter((finding) => finding.check === check);
}

/** Fails where a check has found anything but this, once: the level, and words of the message and of the fix. */
export async function expectFinding(
  configFile: string,
  check: string,
  level: Level,
  says: string,
  advises = '',
): Promise<void> {
  const findings = await findingsOf(configFile, check);
  expect(findings, check).to.have.lengthOf(1);
  const [finding] = findings;
  expect(finding).to.include({ check, level });
  expect(finding?.message).to.include(says);
  if (level === 'ok') expect(finding?.fix).to.equal(null);
  else expect(finding?.fix).to.include(advises).and.not.equal('');
}

/** Changes sections of a configuration file. */
export function reconfigure(configFile: string, sections: Readonly<Record<string, object>>): void {
  const content = parse(readFileSync(configFile, 'utf8')) as Record<string, object>;
  for (const [name, section] of Object.entries(sections)) {
    content[name] = Array.isArray(section) ? section : { ...content[name], ...section };
  }
  writeFileSync(configFile, stringify(content));
}
