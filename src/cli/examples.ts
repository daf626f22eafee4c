/** A command line without the program's name, and what it is for. */
export interface Example {
  readonly line: string;
  readonly what: string;
}

const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  init: [
    { line: 'init --db my-app.db', what: 'a configuration for this machine, to be read and corrected' },
    {
      line: 'init --db my-app.db --node desktop --listen 0.0.0.0:8091 --peer laptop=http://192.168.1.20:8091',
      what: 'the same with everything that a group needs',
    },
    { line: 'init --db my-app.db --print', what: 'only look' },
  ],
  clone: [
    {
      line: 'clone http://192.168.1.20:8091 --db my-app.db --node tablet',
      what: 'a third replica from a running one',
    },
  ],
  migrate: [
    { line: 'migrate --dry-run', what: 'print the SQL and change nothing' },
    { line: 'migrate', what: 'back up, then prepare; again after each change of tables' },
    { line: 'migrate --down --purge', what: 'leave nothing of ours behind' },
  ],
  backfill: [
    { line: 'backfill', what: 'all tables; goes on where it was interrupted' },
    { line: 'backfill --table words scores', what: 'two of them' },
  ],
  start: [{ line: 'start --log-level debug', what: 'the daemon, with all that it does in the log' }],
  sync: [
    { line: 'sync', what: 'pull from every peer now' },
    { line: 'sync --peer laptop --full', what: 'compare everything with one peer once more' },
  ],
  trigger: [{ line: 'trigger laptop', what: 'have the running daemon pull from laptop now' }],
  'trigger-all': [{ line: 'trigger-all', what: 'have it pull from every peer' }],
  status: [
    { line: 'status', what: 'once' },
    { line: 'status --watch', what: 'again every two seconds, until Ctrl-C' },
    { line: 'status --json', what: 'for scripts' },
  ],
  conflicts: [
    { line: 'conflicts', what: 'those that are open' },
    { line: 'conflicts show 3', what: 'both rows of one, column by column' },
    { line: 'conflicts resolve 3 --keep remote', what: 'decide it, everywhere' },
  ],
  quarantine: [
    { line: 'quarantine', what: 'what could not be applied, and why' },
    { line: 'quarantine retry', what: 'try again, after the cause was mended' },
    { line: 'quarantine drop 7', what: 'give one up' },
  ],
  verify: [
    { line: 'verify --peer laptop', what: 'prove that both hold the same rows' },
    { line: 'verify --peer laptop --table words --repair', what: 'and mend what differs' },
  ],
  doctor: [
    { line: 'doctor', what: 'each finding with its fix; ends with 1 where something stops replication' },
  ],
  export: [{ line: 'export --out changes.sync', what: 'everything, as a file' }],
  import: [{ line: 'import changes.sync', what: 'as if it had been pulled' }],
  peers: [
    { line: 'peers', what: 'the replicas of the group' },
    { line: 'peers accept laptop', what: 'pull from one that discovery has found' },
    { line: 'peers forget old-laptop', what: 'wait no more for one that is gone' },
  ],
  prune: [{ line: 'prune --dry-run', what: 'what would be dropped' }],
  keygen: [{ line: 'keygen', what: 'a new key, for SYNC_API_KEY on every replica' }],
  backup: [
    { line: 'backup my-app-backup.db', what: 'a copy of this moment, while everything runs, checked' },
  ],
  'convert-ids': [
    {
      line: 'convert-ids --db my-app.db --table users posts --dry-run',
      what: 'try it on a copy and say what would change',
    },
    {
      line: 'convert-ids --db my-app.db --table users --reference posts.author --ids shared',
      what: 'the same new keys in every copy of one database',
    },
  ],
  completion: [
    {
      line: 'completion bash',
      what: 'put its output into ~/.local/share/bash-completion/completions/sqlite-p2p-sync',
    },
    { line: 'completion zsh', what: 'into a file _sqlite-p2p-sync of a folder of $fpath' },
    { line: 'completion fish', what: 'into ~/.config/fish/completions/sqlite-p2p-sync.fish' },
  ],
};

/** Those of one command; none where it has none. */
export function examplesOf(command: string): readonly Example[] {
  return EXAMPLES[command] ?? [];
}

/** What stands below the options in `--help`; empty where there are no examples. */
export function helpAfter(command: string): string {
  const examples = examplesOf(command).map(({ line, what }) => `  ${what}\n    $ sqlite-p2p-sync ${line}`);
  const exits = 'Exit codes: 0 done, 1 the operation failed, 2 wrong usage or configuration.';
  return [...(examples.length === 0 ? [] : ['', 'Examples:', ...examples]), '', exits].join('\n');
}
