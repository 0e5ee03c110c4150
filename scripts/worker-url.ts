import { posix } from 'node:path';
import type { Plugin } from 'rollup';

/**
 * Points `new URL('./NAME.ts', import.meta.url)` at the built workers, in the form that bundlers recognise.
 * @param names where the workers lie in the output folder, without their ending
 */
export function workerUrls(names: readonly string[]): Plugin {
  return {
    name: 'worker-urls',
    renderChunk(code, chunk) {
      let linked = code;
      for (const name of names) {
        const relative = posix.relative(posix.dirname(chunk.fileName), `${name}.js`);
        linked = linked.replaceAll(
          `"./${posix.basename(name)}.ts"`, // esbuild writes strings so
          `"${relative.startsWith('.') ? relative : `./${relative}`}"`,
        );
      }
      return linked === code ? null : { code: linked, map: null };
    },
  };
}
