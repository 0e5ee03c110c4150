// `npm test`: every check and every test, then one closing line `N passed, N failed`.
// `npm test -- FILTER...` runs only the tests whose file names match, without the checks.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBrowser } from '../test/browser/find-browser.mjs';
import { countTests } from './count-tests.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const REPORT = join(ROOT, 'test-output', 'vitest.json');
const filters = process.argv.slice(2);

/** Runs a program on this terminal; true if it ended well. */
function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error) console.error(`${command}: ${error.message}`);
  return status === 0;
}

/** Runs an npm script beside others, and writes what it said when it is over; true if it ended well. */
function runCheck(name) {
  return new Promise((resolve) => {
    const check = spawn('npm', ['run', '--silent', name], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    const said = [];
    check.stdout.on('data', (piece) => said.push(piece));
    check.stderr.on('data', (piece) => said.push(piece));
    check.on('error', (error) => said.push(Buffer.from(`npm: ${error.message}\n`)));
    check.on('close', (status) => {
      process.stdout.write(Buffer.concat([Buffer.from(`\n== npm run ${name}\n`), ...said]));
      resolve(status === 0);
    });
  });
}

/** Runs npm scripts in order and gives the names of those that failed. */
async function runChecks(names) {
  const failedNames = [];
  for (const name of names) if (!(await runCheck(name))) failedNames.push(name);
  return failedNames;
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    console.error(`vitest left no report: ${error.message}`);
    return undefined;
  }
}

async function findBrowserOrSay() {
  try {
    console.log(`browser: ${await findBrowser((line) => console.log(line))}`);
    return [];
  } catch (error) {
    console.error(error.message);
    return ['browser'];
  }
}

const failedChecks = await findBrowserOrSay();
if (filters.length === 0) {
  // Side by side: what looks at the sources, and what looks at the package that is built from them.
  const sides = [runChecks(['lint', 'typecheck']), runChecks(['build', 'size', 'check:package'])];
  failedChecks.push(...(await Promise.all(sides)).flat());
}

rmSync(REPORT, { force: true });
mkdirSync(dirname(REPORT), { recursive: true });
console.log('\n== vitest');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
const isRunGood = run(process.execPath, [
  join(ROOT, 'node_modules/vitest/vitest.mjs'),
  'run',
  ...reporters,
  ...filters,
]);
const { passed, failed } = countTests(readReport(REPORT), isRunGood);

if (failedChecks.length > 0) console.error(`\nchecks that failed: ${failedChecks.join(', ')}`);
const nFailed = failed + failedChecks.length;
if (passed === 0 && nFailed === 0) console.error('\nno test ran');
console.log(`\n${passed} passed, ${nFailed} failed`);
process.exitCode = nFailed > 0 || passed === 0 ? 1 : 0;
