// `npm run check:package`: what the built package's users would meet. Both tools pack it; the build that is there is to
// be looked at, so they run no scripts for it.
import { spawnSync } from 'node:child_process';

const TOOLS = [
  ['publint', '--strict'],
  ['attw', '--pack', '.', '--profile', 'esm-only'],
];
const env = { ...process.env, npm_config_ignore_scripts: 'true' };
const isGood = TOOLS.every(
  ([tool, ...args]) =>
    spawnSync(tool, args, { stdio: 'inherit', env, shell: process.platform === 'win32' }).status === 0,
);
process.exitCode = isGood ? 0 : 1;
