import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'rollup';

/** Empties the output folder first, so that no file of an earlier build is published. */
export function cleanOutput(folder: string): Plugin {
  return { name: 'clean-output', buildStart: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Lets the built command be run by its path. */
export function makeExecutable(file: string): Plugin {
  return {
    name: 'make-executable',
    writeBundle: ({ dir = '.' }) => chmodSync(join(dir, file), 0o755),
  };
}
