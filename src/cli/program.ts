import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { NsdfArgumentError, NsdfError } from '../errors.ts';
import { checkCommand } from './check.ts';
import { convertCommand } from './convert.ts';
import { infoCommand } from './info.ts';
import { meshCommand } from './mesh.ts';
import { printJson } from './output.ts';
import { packCommand } from './pack.ts';
import { tileCommand } from './tile.ts';
import { trainCommand } from './train.ts';
import { validateCommand } from './validate.ts';

/** The exit status for what a command was given: files that are missing, broken or not sound. */
const DATA_STATUS = 1;
/** The exit status for a command line that cannot be carried out as it is written. */
const USAGE_STATUS = 2;

/** Stands below the program's help. */
const NOTES = `
A file name of - is standard input, or standard output; the report then goes to standard error.
Errors go to standard error, in one line; with --json as one JSON object, {"error": {"code", "message", ...}}.
Exit status: 0 done; 1 a file is missing, broken or not sound; 2 the command line is wrong (a mistyped option, a
value out of range, an output that cannot be written).

Examples:
  nsdf convert bunny.safetensors bunny.nsdf        pack what was trained
  nsdf mesh bunny.nsdf bunny.glb                   derive its mesh, accurate enough for most uses
  nsdf mesh bunny.nsdf bunny.ply --tolerance 1e-4  the same, ten times as exact in a domain of [-1, 1]³
  nsdf check bunny.glb --field bunny.nsdf          is it closed, and how far off?
  cat bunny.nsdf | nsdf mesh - - --format stl > bunny.stl`;

/**
 * Runs one command. Bad input gives one line (with `--json`: one JSON object) on standard error and sets the process's
 * exit status, see `NOTES`; so does a check that fails, after its report.
 * @param args without the program's own name.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    tellError(error, args, messageOf(error, program));
  }
}

/** Tells an error on standard error, in a line, and sets the process's exit status. */
export function tellError(error: unknown, args: readonly string[], message = (error as Error).message): void {
  const isUsage = error instanceof CommanderError || error instanceof NsdfArgumentError;
  process.exitCode = isUsage ? USAGE_STATUS : DATA_STATUS;
  const line = message.replace(/\s*\n\s*/g, ' ');
  if (args.includes('--json')) printJson({ error: errorJson(error, line) }, process.stderr);
  else process.stderr.write(`nsdf: ${line}\n`);
}

/** An error as programs read it: its code, its message, and what its class tells besides (`byteOffset`, `needed`, …). */
function errorJson(error: unknown, message: string): object {
  if (error instanceof CommanderError) return { code: 'usage', message };
  if (!(error instanceof NsdfError)) return { code: 'load', message };
  const { name, code, cause: _cause, ...told } = error;
  // The reader's own error tells the place; the one around it only the file.
  const inner = error.cause instanceof NsdfError ? { ...error.cause, cause: undefined } : {};
  return { ...inner, ...told, code, name, message };
}

function createProgram(): Command {
  const program = new Command('nsdf')
    .description('neural signed distance fields as 3D assets')
    .version(packageVersion(), '-V, --version', 'print the version')
    .addHelpText('after', NOTES)
    .addCommand(infoCommand())
    .addCommand(validateCommand())
    .addCommand(convertCommand())
    .addCommand(meshCommand())
    .addCommand(trainCommand())
    .addCommand(checkCommand())
    .addCommand(packCommand())
    .addCommand(tileCommand());
  for (const command of program.commands) {
    command.option('--allow-outside', 'follow buffers that a file names outside its own folder');
  }
  for (const command of [program, ...program.commands]) {
    // Errors are thrown, and told in one line by runProgram.
    command
      .exitOverride()
      .showSuggestionAfterError()
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
