import { build } from 'esbuild';
import type { Plugin } from 'vite';

/**
 * Serves workers to test pages as one file each: in two hundred, one request a module, a worker takes longer to start than
 * what most tests ask of it.
 */
export function bundledWorkers(): Plugin {
  return {
    name: 'bundled-workers',
    enforce: 'pre',
    async load(id) {
      const [path, query = ''] = id.split('?');
      if (!new URLSearchParams(query).has('worker_file')) return null;
      const { outputFiles } = await build({
        entryPoints: [path],
        bundle: true,
        format: 'esm',
        target: 'es2022',
        write: false,
      });
      return { code: outputFiles[0].text, map: null };
    },
  };
}
