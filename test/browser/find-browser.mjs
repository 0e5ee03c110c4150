// Finds a Chrome or Chromium for the browser tests, and installs one where there is none.
// As a program it prints the path: `node test/browser/find-browser.mjs`.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getInstalledBrowsers } from '@puppeteer/browsers';

const HERE = fileURLToPath(import.meta.url);
const CACHE_DIR = resolve(dirname(HERE), '../../node_modules/.cache/browsers');
const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
const KNOWN_FOLDERS = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome'];
const KNOWN_FILES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];
const START_TIMEOUT_MS = 60_000;
const INSTALL_TIMEOUT_MS = 10 * 60_000;

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // absent or not ours to run: not a candidate
  }
}

/** The last lines of what a failed program said, on one line. */
function reasonOf(error) {
  return String(error.stderr || error.message || error)
    .trim()
    .split('\n')
    .slice(-3)
    .join(' | ');
}

/** A browser named by the environment; a name that cannot be run is an error, not a reason to look on. */
function fromEnvironment() {
  for (const name of ['CHROME_PATH', 'PUPPETEER_EXECUTABLE_PATH']) {
    const path = process.env[name];
    if (!path) continue;
    if (isExecutable(path)) return path;
    throw new Error(`${name} is "${path}", which is not an executable file: correct it or unset it`);
  }
  return undefined;
}

function fromKnownPlaces() {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...KNOWN_FOLDERS];
  const inFolders = COMMANDS.flatMap((command) => folders.map((folder) => join(folder, command)));
  return [...inFolders, ...KNOWN_FILES].find(isExecutable);
}

/** A browser that an earlier run downloaded and that starts here. */
async function fromCache() {
  if (!existsSync(CACHE_DIR)) return undefined;
  const browsers = await getInstalledBrowsers({ cacheDir: CACHE_DIR });
  return browsers.map((browser) => browser.executablePath).find(canStart);
}

/** Says whether the program runs at all: a downloaded Chrome lacks its shared libraries on a bare machine. */
function canStart(path) {
  if (!isExecutable(path)) return false;
  try {
    execFileSync(path, ['--version'], { stdio: 'pipe', timeout: START_TIMEOUT_MS });
    return true;
  } catch {
    return false; // cannot run here: the caller tries the next way
  }
}

/** Downloads Chrome for Testing into node_modules/.cache; as a program of its own, so that it can be given up. */
async function download() {
  const args = ['--no-install', 'browsers', 'install', 'chrome@stable', '--path', CACHE_DIR];
  execFileSync('npx', args, {
    stdio: 'pipe',
    timeout: INSTALL_TIMEOUT_MS,
    shell: process.platform === 'win32',
  });
  const path = await fromCache();
  if (!path) throw new Error('it was downloaded but does not start (missing libraries?)');
  return path;
}

/** Installs Debian's package; needs root. */
async function installPackage() {
  if (!existsSync('/etc/debian_version')) throw new Error('this is no Debian');
  if (process.getuid?.() !== 0) throw new Error('apt-get needs root');
  const options = {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  execFileSync('apt-get', ['update'], options);
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], options);
  const path = fromKnownPlaces();
  if (!path) throw new Error('the package chromium was installed but holds no program that was looked for');
  return path;
}

/**
 * Finds a browser without installing anything: CHROME_PATH or PUPPETEER_EXECUTABLE_PATH, then PATH and the
 * usual places, then what an earlier run downloaded.
 * @returns {Promise<string | undefined>} the program's path
 */
export async function locateBrowser() {
  return fromEnvironment() ?? fromKnownPlaces() ?? (await fromCache());
}

/**
 * Finds a browser, or installs one: Chrome for Testing into node_modules/.cache, else Debian's chromium as root.
 * @param {(line: string) => void} [report] told what is being tried
 * @returns {Promise<string>} the program's path
 */
export async function findBrowser(report = () => {}) {
  const found = await locateBrowser();
  if (found) return found;
  const failures = [];
  for (const [what, attempt] of [
    ['downloading Chrome', download],
    ['installing the Debian package chromium', installPackage],
  ]) {
    report(`no browser found: ${what}`);
    try {
      return await attempt();
    } catch (error) {
      failures.push(`${what}: ${reasonOf(error)}`);
    }
  }
  throw new Error(
    `No browser was found or could be installed (${failures.join('; ')}). Install Chrome or Chromium, or name one in CHROME_PATH.`,
  );
}

if (process.argv[1] && resolve(process.argv[1]) === HERE) {
  const path = await findBrowser((line) => process.stderr.write(`${line}\n`));
  process.stdout.write(`${path}\n`);
}
