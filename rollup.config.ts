import json from '@rollup/plugin-json';
import nodeResolve from '@rollup/plugin-node-resolve';
import typescript from '@rollup/plugin-typescript';
import type { Plugin, RollupOptions } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { stampAlgorithm } from './scripts/algorithm-version.ts';
import { cleanOutput, makeExecutable } from './scripts/built-files.ts';
import { CLI_ENTRIES, ENTRIES, WORKER_ENTRIES } from './scripts/entries.ts';
import { textModules } from './scripts/text-modules.ts';
import { workerUrls } from './scripts/worker-url.ts';

/** Packages stay imports: the application's bundler finds one copy of each. */
const isPackage = (id: string): boolean => !/^[./]|^[A-Za-z]:/.test(id);

const compile = (): Plugin[] => [
  textModules(),
  json({ preferConst: true }),
  stampAlgorithm(),
  typescript({ tsconfig: './tsconfig.build.json' }),
];

const library: RollupOptions = {
  input: { ...ENTRIES, ...CLI_ENTRIES },
  external: isPackage,
  plugins: [
    cleanOutput('dist'),
    ...compile(),
    workerUrls([...Object.keys(WORKER_ENTRIES), 'cli/node-train-worker']),
    makeExecutable('cli/nsdf.js'),
  ],
  output: {
    dir: 'dist',
    format: 'es',
    chunkFileNames: 'chunks/[name].js',
    sourcemap: true,
    hoistTransitiveImports: false,
  },
};

/** One file without imports: a worker sees no import map, and not every bundler splits a worker's code. */
const workers = Object.entries(WORKER_ENTRIES).map(
  ([name, source]): RollupOptions => ({
    input: { [name]: source },
    plugins: [nodeResolve(), ...compile()],
    output: { dir: 'dist', format: 'es', sourcemap: true, inlineDynamicImports: true },
  }),
);

const types: RollupOptions = {
  input: { ...ENTRIES, ...WORKER_ENTRIES },
  external: isPackage,
  plugins: [dts()],
  output: { dir: 'dist', format: 'es', chunkFileNames: 'chunks/[name].d.ts' },
  onwarn: (warning, warn) => {
    if (warning.code !== 'EMPTY_BUNDLE') warn(warning); // the worker exports nothing, on purpose
  },
};

export default [library, ...workers, types];
