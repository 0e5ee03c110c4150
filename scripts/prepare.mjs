// npm's `prepare`: after `npm ci` in a clone, and where the repository itself is installed, dist is built if it is not
// there: `npx nsdf` then finds the command. Without the development tools (`--omit=dev`) nothing can be built.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
if (!existsSync(join(ROOT, 'dist/index.js')) && existsSync(join(ROOT, 'node_modules/rollup'))) {
  const { status } = spawnSync('npm', ['run', 'build'], {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exitCode = status ?? 1;
}
