import { describe, expect, test } from 'vitest';
import { findImportViolations, findStaleRules, importsOf } from '../../scripts/import-rules.ts';

const reasons = (path: string, text: string): string[] =>
  findImportViolations(path, text).map(({ reason }) => reason);

describe('findImportViolations', () => {
  test.each([
    ['src/format/read.ts', "import { NsdfFormatError } from '../errors.ts';"],
    ['src/format/gltf-transform.ts', "import { Extension } from '@gltf-transform/core';"],
    ['src/field/cpu-field.ts', "import type { FieldAsset } from '../format/asset.ts';"],
    ['src/field/cpu-field.ts', "import code from './hash-grid.wgsl';"],
    ['src/surface/faces.ts', "import { Boxes } from '../partition/boxes.ts';"],
    ['src/surface/check.ts', "import type { Box3 } from '../format/asset.ts';"],
    ['src/pipeline/derive.ts', "import { edges } from '../surface/edges.ts';"],
    ['src/pipeline/start-worker.ts', "new Worker(new URL('./worker.ts', import.meta.url));"],
    ['src/three/loader.ts', "import { read } from '../index.ts';\nimport { Loader } from 'three';"],
    ['src/three/gltf.ts', "import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';"],
    ['src/babylon/plugin.ts', "import { Mesh } from '@babylonjs/core/Meshes/mesh.js';"],
    [
      'src/cli/mesh.ts',
      "import { readFile } from 'node:fs/promises';\nimport { read } from '../format/read.ts';",
    ],
    // AssemblyScript's compiler wants none.
    ['src/train/assembly/step.ts', "import { Training } from './layout';"],
    ['test/anything.test.ts', "import '../src/three/loader.ts'; import 'node:fs';"],
  ])('allows in %s: %s', (path, text) => {
    expect(reasons(path, text)).toEqual([]);
  });

  test.each([
    ['src/format/read.ts', "import { Field } from '../field/cpu-field.ts';"],
    ['src/format/read.ts', "import { Document } from '@gltf-transform/core';"],
    ['src/field/cpu-field.ts', "import type { Boxes } from '../partition/boxes.ts';"],
    ['src/partition/boxes.ts', "export { read } from '../format/read.ts';"],
    ['src/surface/faces.ts', "import { derive } from '../pipeline/derive.ts';"],
    ['src/surface/check.ts', "import { readFileSync } from 'node:fs';"],
    ['src/surface/check.ts', "const three = await import('three');"],
    ['src/index.ts', "export * from './three/index.ts';"],
    ['src/three/loader.ts', "import { derive } from '../pipeline/derive.ts';"],
    ['src/three/loader.ts', "import { plugin } from '../babylon/plugin.ts';"],
    ['src/babylon/plugin.ts', "import { Mesh } from 'three';"],
    ['src/cli/mesh.ts', "import { NSDFLoader } from '../three/index.ts';"],
    ['src/field/cpu-field.ts', "import { helper } from '../../test/helper.ts';"],
    ['src/field/cpu-field.ts', "import { mlp } from './mlp';"],
    ['src/pipeline/derive.ts', "new Worker(new URL('../cli/nsdf.ts', import.meta.url));"],
    ['src/newcomer/thing.ts', "import { NsdfError } from '../errors.ts';"],
    ['src/three/loader.ts', "import { threefold } from 'threefold';"],
  ])('refuses in %s: %s', (path, text) => {
    expect(reasons(path, text)).toHaveLength(1);
  });

  test('says the place and the reason', () => {
    const [violation] = findImportViolations('src/format/read.ts', "\nimport 'three';");
    expect(violation).toEqual({
      path: 'src/format/read.ts',
      line: 2,
      specifier: 'three',
      reason: 'src/format may import no package',
    });
  });
});

test('importsOf sees every form of import', () => {
  const text = [
    "import a from 'a';",
    "import type { B } from 'b';",
    "export * from 'c';",
    "export type { D } from 'd';",
    "await import('e');",
    "new URL('f', import.meta.url);",
    "// import 'not-me'",
  ].join('\n');
  expect(importsOf(text).map(({ specifier }) => specifier)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

test('findStaleRules names what a rule is about, or allows, and src has not', () => {
  const rules = {
    format: { parts: [] },
    'gpu/kernel.ts': { parts: ['format', 'form'] },
    gone: { parts: ['away'] },
  };
  const files = [
    'errors.ts',
    'format/asset.ts',
    'gpu/kernel.ts',
    'plugin/a.ts',
    'three/a.ts',
    'babylon/a.ts',
  ];
  expect(findStaleRules(files, rules)).toEqual(['form', 'gone', 'away']);
});
