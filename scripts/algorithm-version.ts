import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'rollup';

const SRC = resolve(fileURLToPath(new URL('../src', import.meta.url)));
/** All that a derived mesh depends on. */
const SOURCES = ['field', 'partition', 'surface', 'gpu', 'pipeline'];

function listFiles(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => listFiles(join(path, name)));
}

/** A short hash of the sources that decide a mesh, the same on every system. */
export function algorithmVersion(): string {
  const hash = createHash('sha256');
  for (const path of SOURCES.flatMap((source) => listFiles(join(SRC, source)))) {
    hash.update(readFileSync(path, 'utf8').replaceAll('\r\n', '\n'));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Writes that hash into src/pipeline/algorithm-version.ts as it is built. */
export function stampAlgorithm(): Plugin {
  return {
    name: 'stamp-algorithm',
    transform(code, id) {
      if (!id.replaceAll('\\', '/').endsWith('src/pipeline/algorithm-version.ts')) return null;
      const stamped = code.replace(/(ALGORITHM_VERSION[^=\n]*= )UNBUILT/, `$1'${algorithmVersion()}'`);
      if (stamped === code) throw new Error(`${id}: found no version to put the hash in`);
      return { code: stamped, map: null };
    },
  };
}
