import { chmodSync, readFileSync, rmSync } from 'node:fs';
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

/** Puts the licence of a package that is built in beside what it is built into. */
export function copyLicence(packageName: string, fileName: string): Plugin {
  return {
    name: 'copy-licence',
    generateBundle() {
      const source = readFileSync(join('node_modules', packageName, 'LICENSE'));
      this.emitFile({ type: 'asset', fileName, source });
    },
  };
}
