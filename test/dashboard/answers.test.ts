import type { ConflictList } from '#src/apply/conflict-list.js';
import type { HeldList } from '#src/apply/held-list.js';
import type { ChangelogTail } from '#src/changelog/tail.js';
import type {
  ActivityAnswer,
  ConflictsAnswer,
  QuarantineAnswer,
  StatusAnswer,
  TableAnswer,
  TailEntryAnswer,
} from '#src/dashboard/page/answers.js';
import type { ActivityReport } from '#src/metrics/activity.js';
import type { StatusReport } from '#src/replica/status.js';
import type { TableReport } from '#src/threads/table-watch.js';
import { expect } from 'chai';

/** Compiles where the page reads no more than the daemon answers. */
const READ: readonly [
  (answer: StatusReport) => StatusAnswer,
  (answer: ConflictList) => ConflictsAnswer,
  (answer: HeldList) => QuarantineAnswer,
  (answer: TableReport) => TableAnswer,
  (answer: ChangelogTail['entries'][number]) => TailEntryAnswer,
  (answer: ActivityReport) => ActivityAnswer,
] = [
  (answer) => answer,
  (answer) => answer,
  (answer) => answer,
  (answer) => answer,
  (answer) => answer,
  (answer) => answer,
];

describe('What the page reads', () => {
  it('is what the daemon answers, as the compiler has checked', () => {
    expect(READ).to.have.length(6);
  });
});
