import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { checkCommand } from './check.ts';
import { convertCommand } from './convert.ts';
import { infoCommand } from './info.ts';
import { meshCommand } from './mesh.ts';
import { packCommand } from './pack.ts';
import { tileCommand } from './tile.ts';
import { validateCommand } from './validate.ts';

/**
 * Runs one command. Bad input gives one line on standard error and sets the process's exit status to 1; so does a check
 * that fails, after its report.
 * @param args without the program's own name.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    process.exitCode = 1;
    process.stderr.write(`nsdf: ${messageOf(error, program).replace(/\s*\n\s*/g, ' ')}\n`);
  }
}

function createProgram(): Command {
  const program = new Command('nsdf')
    .description('neural signed distance fields as 3D assets')
    .version(packageVersion())
    .addCommand(infoCommand())
    .addCommand(validateCommand())
    .addCommand(convertCommand())
    .addCommand(meshCommand())
    .addCommand(checkCommand())
    .addCommand(packCommand())
    .addCommand(tileCommand());
  for (const command of [program, ...program.commands]) {
    // Errors are thrown, and told in one line by runProgram.
    command
      .exitOverride()
      .showSuggestionAfterError(false)
      .configureOutput({ writeErr: () => {} });
  }
  return program;
}

/** This package's version; package.json lies two folders up from here, in src/cli as in dist/cli. */
function packageVersion(): string {
  const folder = dirname(fileURLToPath(import.meta.url));
  const text = readFileSync(join(folder, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function messageOf(error: unknown, program: Command): string {
  if (error instanceof CommanderError && error.code === 'commander.help') {
    return `expected a command: ${program.commands.map((command) => command.name()).join(', ')} (nsdf --help)`;
  }
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof CommanderError ? message.replace(/^error: /, '') : message;
}
