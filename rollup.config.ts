import { existsSync } from 'node:fs';
import json from '@rollup/plugin-json';
import nodeResolve from '@rollup/plugin-node-resolve';
import typescript from '@rollup/plugin-typescript';
import type { Plugin, RollupOptions } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { textModules } from './scripts/text-modules.ts';
import { workerUrl } from './scripts/worker-url.ts';

/** The package's public entries, by the name of their file in dist. */
const ENTRIES = {
  index: 'src/index.ts',
  three: 'src/three/index.ts',
  import: 'src/import/index.ts',
  'gltf-transform': 'src/format/gltf-transform.ts',
};
for (const [k, v] of Object.entries(ENTRIES)) if (!existsSync(v)) delete (ENTRIES as any)[k];
const CLI = existsSync('src/cli/nsdf.ts') ? { 'cli/nsdf': 'src/cli/nsdf.ts' } : {};
const WORKER = { worker: 'src/pipeline/worker.ts' };

/** Packages stay imports: the application's bundler finds one copy of each. */
const isPackage = (id: string): boolean => !/^[./]|^[A-Za-z]:/.test(id);

const compile = (): Plugin[] => [
  textModules(),
  json({ preferConst: true }),
  typescript({ tsconfig: './tsconfig.build.json' }),
];

const library: RollupOptions = {
  input: { ...ENTRIES, ...CLI },
  external: isPackage,
  plugins: [...compile(), workerUrl('worker.js')],
  output: {
    dir: 'dist',
    format: 'es',
    chunkFileNames: 'chunks/[name].js',
    sourcemap: true,
    hoistTransitiveImports: false,
  },
};

/** One file without imports: a worker sees no import map, and not every bundler splits a worker's code. */
const worker: RollupOptions = {
  input: WORKER,
  plugins: [nodeResolve(), ...compile()],
  output: { dir: 'dist', format: 'es', sourcemap: true, inlineDynamicImports: true },
};

const types: RollupOptions = {
  input: { ...ENTRIES, ...WORKER },
  external: isPackage,
  plugins: [dts()],
  output: { dir: 'dist', format: 'es', chunkFileNames: 'chunks/[name].d.ts' },
};

export default [library, worker, types];
