import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { textModules } from './scripts/text-modules.ts';
import { bundledWorkers } from './test/browser/bundled-workers.ts';
import { locateBrowser } from './test/browser/find-browser.mjs';
import { WEBGPU_FLAGS } from './test/browser/flags.ts';

/** What sources and tests import of Babylon.js: as one bundle with split chunks, where it would be a thousand files. */
const BABYLON_MODULES = [
  ...[
    'Buffers/buffer',
    'Buffers/dataBuffer',
    'Cameras/camera',
    'Cameras/freeCamera',
    'Culling/boundingInfo',
    'Culling/ray',
    'Engines/engine',
    'Engines/webgpuEngine',
  ],
  ...['Lights/hemisphericLight', 'Loading/sceneLoader', 'Materials/standardMaterial', 'Maths/math.color'],
  ...['Maths/math.vector', 'Meshes/geometry', 'Meshes/mesh', 'Meshes/mesh.vertexData', 'scene'],
  ...['Materials/material', 'Materials/PBR/pbrMaterial', 'Meshes/transformNode', 'Misc/fileTools'],
  ...['Misc/logger', 'Misc/observable', 'Misc/webRequest'],
]
  .map((name) => `@babylonjs/core/${name}.js`)
  .concat([
    '@babylonjs/loaders/glTF/2.0/Extensions/dynamic.js',
    '@babylonjs/loaders/glTF/2.0/glTFLoader.js',
    '@babylonjs/loaders/glTF/2.0/glTFLoaderExtensionRegistry.js',
    '@babylonjs/loaders/glTF/glTFFileLoader.js',
    '@babylonjs/serializers/glTF/2.0/index.js',
    '@babylonjs/serializers/USDZ/index.js',
    'fflate',
  ]);

// Without a browser here the browser tests fail at launch; `npm test` installs one first.
const executablePath = await locateBrowser();

/** Anew for each project: vitest writes into it. */
const chromium = () => ({
  enabled: true,
  headless: true,
  // One page at a time. Said of the project it would have the project wait for all others, and a core idle meanwhile.
  fileParallelism: false,
  screenshotFailures: false,
  provider: playwright({
    launchOptions: { args: WEBGPU_FLAGS, ...(executablePath ? { executablePath } : {}) },
  }),
  instances: [{ browser: 'chromium' as const }],
});

/** What tests the GPU's own code. */
const GPU_TESTS = [
  'test/{bench,conformance,gpu,partition}/**/*.browser.test.ts',
  'test/{pipeline,train}/gpu*.browser.test.ts',
];

/** Put other modules in the place of some: nothing else may have loaded these before. */
const MOCKING_TESTS = ['test/repro/{decode-once,lying-records}.test.ts'];

export default defineConfig({
  plugins: [textModules(), bundledWorkers()],
  test: {
    provide: { extraSeeds: process.env.NSDF_SEED ?? '' }, // test/conformance/seeds.ts
    maxWorkers: availableParallelism(), // vitest would leave one core idle, of two
    // For what hangs, not for what is slow: a busy machine takes ten times as long, and no test is about that.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 600_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.browser.test.ts', 'test/**/*.slow.test.ts', 'test/e2e/**', ...MOCKING_TESTS],
          // A third of the time went into loading and compiling the same modules for each file.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'mocking',
          environment: 'node',
          include: MOCKING_TESTS,
        },
      },
      {
        extends: true,
        // Fields that take long, and the figures on the bunny: apart, so that `--project node` stays quick.
        test: {
          name: 'slow',
          environment: 'node',
          include: ['test/**/*.slow.test.ts'],
        },
      },
      {
        extends: true,
        // Found while tests run, they would make vite reload the page under them.
        optimizeDeps: {
          include: [
            ...BABYLON_MODULES,
            'three',
            'three/addons/exporters/GLTFExporter.js',
            'three/addons/exporters/USDZExporter.js',
            'three/addons/loaders/GLTFLoader.js',
            'three/webgpu',
            '@react-three/fiber',
            'react',
          ],
        },
        test: {
          name: 'browser',
          include: ['test/**/*.browser.test.ts'],
          exclude: GPU_TESTS,
          setupFiles: ['test/browser/no-default-cache.ts'],
          browser: chromium(),
        },
      },
      {
        extends: true,
        // One page for all, so that kernels are compiled once for each shape of field: see test/gpu/shared-gpu.ts.
        test: {
          name: 'gpu',
          include: GPU_TESTS,
          setupFiles: ['test/browser/no-default-cache.ts'],
          isolate: false,
          browser: chromium(),
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          environment: 'node',
          include: ['test/e2e/**/*.e2e.test.ts'],
          globalSetup: ['test/e2e/built-once.ts'],
          maxWorkers: 2, // a browser each
          sequence: { groupOrder: 1 }, // after everything else, which runs side by side: a page that waits leaves its core to others
        },
      },
    ],
  },
});
