import { posix } from 'node:path';
import type { Plugin } from 'rollup';

/**
 * Points `new URL('./worker.ts', import.meta.url)` at the built worker, in the form that bundlers recognise.
 * @param builtFile the worker's file, relative to the output folder
 */
export function workerUrl(builtFile: string): Plugin {
  return {
    name: 'worker-url',
    renderChunk(code, chunk) {
      if (!code.includes("'./worker.ts'")) return null;
      const relative = posix.relative(posix.dirname(chunk.fileName), builtFile);
      const specifier = relative.startsWith('.') ? relative : `./${relative}`;
      return { code: code.replace("'./worker.ts'", `'${specifier}'`), map: null };
    },
  };
}
