export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** What is offered for one command. */
export interface Completed {
  readonly name: string;
  readonly summary: string;
  /** Long flags, e.g. `--peer`. */
  readonly options: readonly string[];
}

/** A script for the shell: command names first, then that command's options, and files everywhere else. */
export function completionScript(shell: Shell, commands: readonly Completed[]): string {
  return { bash, zsh, fish }[shell](commands);
}

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words="${options.join(' ')}" ;;`);
  return `_sqlite_p2p_sync() {
  local word=\${COMP_WORDS[COMP_CWORD]} words="${namesOf(commands)}" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
${cases.map((line) => `  ${line}`).join('\n')}
    esac
  done
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _sqlite_p2p_sync sqlite-p2p-sync`;
}

function zsh(commands: readonly Completed[]): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const cases = commands.map(
    ({ name, options }) => `    ${name}) compadd -- ${options.join(' ')}; _files ;;`,
  );
  return `#compdef sqlite-p2p-sync
_sqlite_p2p_sync() {
  local -a commands=(
${described.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  case $words[2] in
${cases.join('\n')}
  esac
}
compdef _sqlite_p2p_sync sqlite-p2p-sync`;
}

function fish(commands: readonly Completed[]): string {
  const program = 'complete -c sqlite-p2p-sync';
  return commands
    .flatMap(({ name, summary, options }) => [
      `${program} -f -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...options.map((option) => `${program} -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`),
    ])
    .join('\n');
}

function namesOf(commands: readonly Completed[]): string {
  return commands.map(({ name }) => name).join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
