import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import type { Plugin } from 'rollup';
import ts from 'typescript';

const ROOT = resolve(fileURLToPath(new URL('..', import.meta.url)));
/** What derives: on the processor, in whichever thread, and on the GPU. All that a mesh depends on is imported from there. */
const ENTRIES = ['src/pipeline/job.ts', 'src/pipeline/gpu-derivation.ts'];
/** What an error says changes no mesh; nor does which options there are, what reads them does. */
const BESIDE = ['src/errors.ts', 'src/options.ts'];

/** Gives a file's text; replaced by tests. */
export type ReadText = (path: string) => string;

const readText: ReadText = (path) => readFileSync(resolve(ROOT, path), 'utf8');

/** A short hash of the code that decides a mesh, the same on every system and whatever its comments and its layout are. */
export function algorithmVersion(read: ReadText = readText): string {
  const hash = createHash('sha256');
  for (const [path, code] of derivationModules(read)) hash.update(`${path}\n${code}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** The modules that decide a mesh, by path: their code without types, comments and white space. */
export function derivationModules(read: ReadText = readText): Map<string, string> {
  const found = new Map<string, string>();
  const waiting = [...ENTRIES];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path) || BESIDE.includes(path)) continue;
    const { code, imports } = path.endsWith('.ts') ? stripTypeScript(read(path)) : stripWgsl(read(path));
    found.set(path, code);
    for (const specifier of imports) {
      if (specifier.startsWith('.')) waiting.push(resolveImport(path, specifier));
      else found.set(specifier, packageVersion(specifier, read));
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface Stripped {
  readonly code: string;
  readonly imports: readonly string[];
}

const stripped = new Map<string, Stripped>();

/** What is left without types, comments and layout; imports of types alone are gone, too. */
function stripTypeScript(text: string): Stripped {
  const known = stripped.get(text);
  if (known) return known;
  const { code } = transformSync(text, { loader: 'ts', minifyWhitespace: true, legalComments: 'none' });
  const result = { code, imports: ts.preProcessFile(code).importedFiles.map(({ fileName }) => fileName) };
  stripped.set(text, result);
  return result;
}

/** WGSL has no strings: white space separates tokens and does nothing else. */
function stripWgsl(text: string): Stripped {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\r\n]*/g, ' ');
  return { code: code.replace(/\s+/g, ' ').trim(), imports: [] };
}

function resolveImport(from: string, specifier: string): string {
  return relative(ROOT, resolve(ROOT, dirname(from), specifier)).replaceAll('\\', '/');
}

function packageVersion(specifier: string, read: ReadText): string {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  const name = Object.keys(dependencies).find(
    (known) => specifier === known || specifier.startsWith(`${known}/`),
  );
  if (name === undefined) throw new Error(`the derivation imports ${specifier}, which is no dependency`);
  return dependencies[name];
}

/** Takes seconds, and is the same for all that one process builds. */
let version: string | undefined;

/** Writes that hash into src/pipeline/algorithm-version.ts as it is built. */
export function stampAlgorithm(): Plugin {
  return {
    name: 'stamp-algorithm',
    transform(code, id) {
      if (!id.replaceAll('\\', '/').endsWith('src/pipeline/algorithm-version.ts')) return null;
      version ??= algorithmVersion();
      const stamped = code.replace(/(ALGORITHM_VERSION[^=\n]*= )UNBUILT/, `$1'${version}'`);
      if (stamped === code) throw new Error(`${id}: found no version to put the hash in`);
      return { code: stamped, map: null };
    },
  };
}
