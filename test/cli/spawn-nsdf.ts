import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** What a command did: its exit status, and what it wrote. */
export interface Output {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command as a program of its own. */
export async function spawnNsdf(...args: string[]): Promise<Output> {
  const command = ['--import', 'tsx', join(ROOT, 'src/cli/nsdf.ts'), ...args];
  try {
    const { stdout, stderr } = await run(process.execPath, command, { cwd: ROOT });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}
