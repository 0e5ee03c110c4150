import { mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NsdfArgumentError } from '../errors.ts';
import type { ReportStream } from './output.ts';

/** Where a command writes its result, and where it reports. */
export interface Destination {
  /** The path as it was given; `-` is standard output. */
  readonly path: string;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Standard output, unless the result goes there. */
  readonly report: ReportStream;
}

/**
 * Finds out whether an output can be written, before there is anything to write. A file that is there stays as it is
 * until then.
 * @param path `-` for standard output
 * @throws {NsdfArgumentError} if it cannot
 */
export async function openDestination(path: string): Promise<Destination> {
  if (path === '-') {
    if (process.stdout.isTTY) {
      throw new NsdfArgumentError('out', '- is a terminal here: expected a pipe or a file (> FILE)');
    }
    return { path, write: writeToStandardOutput, report: process.stderr };
  }
  await tryToWrite(path).catch((cause: unknown) => refuse(path, cause));
  return {
    path,
    write: (bytes) => writeFile(path, bytes),
    report: process.stdout,
  };
}

/**
 * Makes the folder that a command writes to, and finds out whether files can be written there.
 * @throws {NsdfArgumentError} if they cannot
 */
export async function openFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await tryToWrite(join(path, `.nsdf-${process.pid}`));
  } catch (cause) {
    refuse(path, cause);
  }
}

function refuse(path: string, cause: unknown): never {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = REASONS[code ?? ''] ?? message;
  throw new NsdfArgumentError('out', `${path}: cannot be written: ${why}`, { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'what should be its folder is a file',
  EISDIR: 'it is a folder, expected a file name',
  EEXIST: 'it is a file, expected a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
};

/** Opens a file as for writing, and leaves no trace; devices and pipes are left alone. */
async function tryToWrite(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found !== undefined && !found.isFile() && !found.isDirectory()) return;
  const file = await open(path, found === undefined ? 'wx' : 'r+');
  await file.close();
  if (found === undefined) await rm(path);
}

function writeToStandardOutput(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
