import { mkdir, open, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, sep } from 'node:path';
import { NsdfArgumentError } from '../errors.ts';
import { isGlb, nameForeignBytes } from '../format/bytes.ts';
import { EXTENSION_NAME } from '../format/extension.ts';
import { GLB_JSON_OFFSET, parseGlb } from '../format/glb.ts';
import { IssueList } from '../format/issues.ts';
import type { ReportStream } from './output.ts';

/** What `-` is called in errors. */
export const STANDARD_OUTPUT = 'standard output';
/** Bytes by which a file is told that is no GLB. */
const N_HEAD_BYTES = 512;

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
  const target = await endOfLink(path);
  await tryToWrite(target).catch((cause: unknown) => refuse(shown(path, target), cause));
  return {
    path,
    write: (bytes) => writeOutput(path, bytes),
    report: process.stdout,
  };
}

/**
 * As {@link openDestination}, of a field. Meshes may end in .glb, too: where the output was forgotten (`nsdf train *.glb`), the last of
 * them stands in its place.
 * @throws {NsdfArgumentError} if the path is neither that of a .nsdf or .glb nor `-`, or that of a file that would be lost.
 */
export async function openFieldDestination(path: string): Promise<Destination> {
  if (path !== '-' && !/\.(nsdf|glb)$/i.test(path)) {
    throw new NsdfArgumentError('out', `${path}: expected a name that ends in .nsdf or .glb`);
  }
  const destination = await openDestination(path);
  await expectReplaceable(path);
  return destination;
}

/**
 * Expects that no file other than one with a field would be overwritten: nothing there, a .nsdf, a GLB with a field in it, or no bytes.
 * @throws {NsdfArgumentError} that says what is there
 */
export async function expectReplaceable(path: string): Promise<void> {
  if (path === '-' || /\.nsdf$/i.test(path)) return;
  const head = await readHead(path);
  if (head === null || head.length === 0 || hasField(head)) return;
  const what = isGlb(head)
    ? 'a GLB without a field'
    : (nameForeignBytes(head)?.what ?? 'a file without a field');
  const advice = 'give another output, which comes last, or remove that file first';
  throw new NsdfArgumentError('out', `${path}: would be overwritten, and is ${what}: ${advice}`);
}

/** The first bytes of a file, of a GLB up to the end of its JSON; null where there is no regular file. */
async function readHead(path: string): Promise<Uint8Array | null> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) return null;
  const file = await open(path, 'r').catch((cause: unknown) => refuse(path, cause));
  try {
    const read = async (n: number): Promise<Uint8Array> => {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(n), position: 0 });
      return buffer.subarray(0, bytesRead);
    };
    const head = await read(N_HEAD_BYTES);
    if (!isGlb(head) || head.length < GLB_JSON_OFFSET) return head;
    const nJsonBytes = new DataView(head.buffer, head.byteOffset).getUint32(12, true);
    return await read(Math.min(GLB_JSON_OFFSET + nJsonBytes, found.size));
  } finally {
    await file.close();
  }
}

/** Whether a GLB up to the end of its JSON is one with a field. */
function hasField(head: Uint8Array): boolean {
  const { extensionsUsed } = (parseGlb(head, new IssueList())?.json ?? {}) as { extensionsUsed?: unknown };
  return Array.isArray(extensionsUsed) && extensionsUsed.includes(EXTENSION_NAME);
}

/**
 * Makes the folder that a command writes to, and finds out whether files can be written there.
 * @throws {NsdfArgumentError} if they cannot
 */
export async function openFolder(path: string): Promise<void> {
  const target = await endOfLink(path);
  try {
    await mkdir(target, { recursive: true });
    await tryToWrite(join(target, `.nsdf-${process.pid}`));
  } catch (cause) {
    refuse(shown(path, target), cause);
  }
}

/** Links that lead to one another before they are given up, as Linux does. */
const MAX_LINKS = 40;

/** Where a link ends that leads to nothing yet: it is written through. Other paths as they are. */
async function endOfLink(path: string): Promise<string> {
  let end = path;
  // What is there opens by any name, and by no other, where links are not what they say (/dev/stdout).
  if (await stat(path).catch(() => null)) return path;
  for (let n = 0; n < MAX_LINKS; n++) {
    const next = await readlink(end).catch(() => null);
    if (next === null) break;
    // Not normalised: a folder on the way may be a link, too.
    end = isAbsolute(next) ? next : `${dirname(end)}${sep}${next}`;
  }
  return end;
}

function shown(path: string, target: string): string {
  return path === target ? path : `${path}, a link to ${target}`;
}

/**
 * Writes a file.
 * @throws {NsdfArgumentError} if it cannot be written to its end, with its path: Node's own error has none by then.
 */
export async function writeOutput(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes).catch((cause: unknown) => refuse(path, cause));
}

function refuse(path: string, cause: unknown): never {
  throw unwritable(path, cause);
}

/** What is told of an output that cannot be written. */
export function unwritable(path: string, cause: unknown): NsdfArgumentError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = REASONS[code ?? ''] ?? message;
  return new NsdfArgumentError('out', `${path}: cannot be written: ${why}`, { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'what should be its folder is a file',
  EISDIR: 'it is a folder, expected a file name',
  EEXIST: 'it is a file, expected a folder',
  ELOOP: 'its links lead to one another',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the quota of disk space is used up',
  EFBIG: 'it grows larger than files may be there',
  EIO: 'the device reports an error',
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
    process.stdout.write(bytes, (error) => (error ? reject(unwritable(STANDARD_OUTPUT, error)) : resolve()));
  });
}
