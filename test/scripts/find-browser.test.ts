import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../browser/find-browser.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nsdf-browser-'));
const fake = join(folder, 'chromium');
writeFileSync(fake, '#!/bin/sh\n');
chmodSync(fake, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

const find = (env: Record<string, string>) =>
  spawnSync(process.execPath, [PROGRAM], { env, encoding: 'utf8' });

describe.skipIf(process.platform === 'win32')('find-browser', () => {
  test.each(['CHROME_PATH', 'PUPPETEER_EXECUTABLE_PATH'])('takes the one that %s names', (name) => {
    expect(find({ [name]: fake, PATH: '' }).stdout).toBe(`${fake}\n`);
  });

  test('looks in PATH before the usual places', () => {
    expect(find({ PATH: folder }).stdout).toBe(`${fake}\n`);
  });

  test('refuses a named one that cannot be run, instead of taking another', () => {
    const { status, stderr, stdout } = find({ CHROME_PATH: join(folder, 'missing'), PATH: folder });
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('which is not an executable file');
  });
});
