import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import nodeResolve from '@rollup/plugin-node-resolve';
import type { Plugin, RollupOptions } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import esbuild from 'rollup-plugin-esbuild';
import { stampAlgorithm } from './scripts/algorithm-version.ts';
import { cleanOutput, copyLicence, makeExecutable } from './scripts/built-files.ts';
import { CLI_ENTRIES, ENTRIES, WORKER_ENTRIES } from './scripts/entries.ts';
import { textModules } from './scripts/text-modules.ts';
import { workerUrls } from './scripts/worker-url.ts';

/** What the command line alone needs is built into it, so that nobody who loads files in a page installs it. */
const BUNDLED = ['commander', 'fast-png', 'iobuffer', 'fflate', 'jpeg-js'];

/** Other packages stay imports: the application's bundler finds one copy of each. */
const isPackage = (id: string): boolean => !/^[./\0]|^[A-Za-z]:/.test(id);

const compile = (): Plugin[] => [
  textModules(),
  json({ preferConst: true }),
  stampAlgorithm(),
  esbuild({ target: 'es2022' }), // strips types; `npm run typecheck` checks them
];

const library: RollupOptions = {
  input: { ...ENTRIES, ...CLI_ENTRIES },
  external: (id, importer) => importer !== undefined && isPackage(id) && !BUNDLED.includes(id),
  plugins: [
    cleanOutput('dist'),
    nodeResolve({ resolveOnly: BUNDLED }),
    commonjs(),
    ...compile(),
    workerUrls([...Object.keys(WORKER_ENTRIES), 'cli/node-worker', 'cli/node-train-worker']),
    makeExecutable('cli/nsdf.js'),
    ...BUNDLED.map((name) => copyLicence(name, `cli/LICENSE-${name}`)),
  ],
  output: {
    dir: 'dist',
    format: 'es',
    chunkFileNames: 'chunks/[name].js',
    hoistTransitiveImports: false,
  },
};

/** One file without imports: a worker sees no import map, and not every bundler splits a worker's code. */
const workers = Object.entries(WORKER_ENTRIES).map(
  ([name, source]): RollupOptions => ({
    input: { [name]: source },
    plugins: [nodeResolve(), ...compile()],
    output: { dir: 'dist', format: 'es', inlineDynamicImports: true },
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
