import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NSDF = `"${process.execPath}" --import tsx "${join(ROOT, 'src/cli/nsdf.ts')}"`;
const BUNNY = join(ROOT, 'test/fixtures/bunny-S.nsdf');
const shell = (command: string) => promisify(execFile)('/bin/sh', ['-c', command], { cwd: ROOT });

// `nsdf info bunny.nsdf | true` ended with Node's "Unhandled 'error' event" and a stack.
it.skipIf(process.platform === 'win32')('ends quietly when nobody reads on', async () => {
  const { stderr } = await shell(`(sleep 1; ${NSDF} info "${BUNNY}"; echo "exit $?" >&2) | true`);
  expect(stderr.trim()).toBe('exit 0');
});

// "EISDIR: illegal operation on a directory, read" did not say which.
it.skipIf(process.platform === 'win32')('names the folder that was given for a file', async () => {
  const folder = tmpdir();
  await expect(shell(`${NSDF} info "${folder}"`)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(new RegExp(`^nsdf: ${folder}: EISDIR[^\n]*\n$`)),
  });
});
