import { describe, expect, it } from 'vitest';
import { BUDGETS } from '../../src/budgets.ts';
import { meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import { NsdfBudgetError, NsdfError, NsdfFormatError, NsdfLoadError } from '../../src/errors.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { buildPyramid } from '../../src/field/pyramid.ts';
import type { FieldAsset, GridLevel, HashGridEncoding } from '../../src/format/asset.ts';
import { packGlb } from '../../src/format/glb.ts';
import { inlineBuffers } from '../../src/format/gltf-buffers.ts';
import { IssueList } from '../../src/format/issues.ts';
import { readNsdf, readNsdfPrefix, validateNsdf } from '../../src/format/read.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { parseSafetensors, tensorValues } from '../../src/import/index.ts';
import { validateDeriveOptions } from '../../src/options.ts';
import { CornerTable, createLattice } from '../../src/partition/corners.ts';
import { cullBoxes } from '../../src/partition/cull.ts';
import { fromWire, toWire } from '../../src/pipeline/error-wire.ts';
import { boxMlp, randomField, sphereField } from '../fixtures/fields.ts';
import { editField, editJson, firstField, type LooseJson, unpack } from '../format/glb-tools.ts';
import { runSteps } from '../partition/run-steps.ts';

const GRID = writeNsdf(sphereField({ cells: [2, 3] }));
const deep = (n: number): LooseJson => JSON.parse('['.repeat(n) + ']'.repeat(n));

describe('readNsdfPrefix, which never throws, takes', () => {
  it.each<[string, (json: LooseJson) => void]>([
    [
      'objects where numbers belong',
      (json) => (json.bufferViews[1].byteLength = { valueOf: 1, toString: 2 }),
    ],
    ['deep arrays where numbers belong', (json) => (json.bufferViews[0].byteOffset = deep(300))],
    [
      'an object for a bufferView',
      (json) => (firstField(json).encoding.levels[1].bufferView = { toString: null }),
    ],
    ['features below zero', (json) => (firstField(json).encoding.nFeaturesPerLevel = -3)],
    [
      '150,000 bufferViews',
      (json) =>
        (json.bufferViews = json.bufferViews.concat(new Array(150_000).fill({ buffer: 0, byteLength: 1e9 }))),
    ],
    ['a root that is no object', (json) => (json.meshes = null)],
  ])('%s', (_what, edit) => {
    const file = editJson(GRID, edit);
    for (const share of [0.5, 0.9, 1]) {
      expect(() => readNsdfPrefix(file.subarray(0, Math.floor(share * file.length)))).not.toThrow();
    }
  });
});

describe('fields that share their bytes', () => {
  const withFields = (n: number): Uint8Array =>
    editJson(GRID, (json) => {
      const [primitive] = json.meshes[0].primitives;
      json.meshes = [{ primitives: [{ ...primitive }] }, { primitives: new Array(n - 1).fill(primitive) }];
    });

  it('are refused beyond their budget, without a look at any', () => {
    const file = withFields(BUDGETS.nFields + 1);
    expect(() => readNsdf(file)).toThrow(/has 4097 fields, at most 4096 are read: split it/);
    expect(validateNsdf(file).filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'unsupported', feature: 'field-count', path: '/meshes' },
    ]);
    expect(readNsdfPrefix(file)?.fields).toEqual([]);
    expect(validateNsdf(withFields(3)).filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('are counted whatever else is wrong with the file', () => {
    const broken = editJson(withFields(BUDGETS.nFields + 1), (json) => {
      json.meshes.unshift(null, { primitives: 7 }, { primitives: [null, 3, { extensions: null }] });
      for (const primitive of json.meshes[3].primitives) primitive.extensions.NSDF_neural_field = null;
    });
    const features = validateNsdf(broken).map((issue) => issue.feature);
    expect(features).toContain('field-count');
  });

  it('are not written beyond it', () => {
    const fields = new Array<FieldAsset>(BUDGETS.nFields + 1).fill(boxMlp([0.5, 0.5, 0.5]));
    expect(() => writeNsdf(fields)).toThrow(NsdfBudgetError);
  });
});

describe('inlineBuffers', () => {
  const withBuffers = (buffers: unknown): Uint8Array =>
    packGlb(
      { asset: { version: '2.0' }, buffers, bufferViews: [null, { buffer: 1, byteLength: 4 }] },
      new Uint8Array(8),
    );

  it.each<[string, () => Uint8Array]>([
    ['null for JSON', () => packGlb(null, new Uint8Array(0))],
    ['deep JSON', () => packGlb({ asset: {}, extras: deep(3000) }, new Uint8Array(0))],
    ['an object for a length', () => withBuffers([{ uri: 'a', byteLength: { toString: 1 } }])],
    ['a length below zero', () => withBuffers([{ uri: 'a', byteLength: -4 }])],
    ['no length', () => withBuffers([null])],
  ])('refuses %s by a typed error', (_what, make) => {
    expect(() => inlineBuffers(make(), new Map([['a', new Uint8Array(16)]]))).toThrow(NsdfError);
  });

  it('puts a buffer in once, however often it is named', () => {
    const buffers = Array.from({ length: 700 }, (_, i) => ({ uri: 'a', byteLength: 1000 + i }));
    const file = inlineBuffers(withBuffers(buffers), new Map([['a', new Uint8Array(4000).fill(7)]]));
    expect(file.length).toBeLessThan(2500);
    expect(unpack(file).json.bufferViews[1]).toEqual({ buffer: 0, byteOffset: 0, byteLength: 4 });
  });
});

describe('safetensors', () => {
  const file = (header: string): Uint8Array => {
    const text = new TextEncoder().encode(header);
    const bytes = new Uint8Array(8 + text.length + 8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    return bytes;
  };

  it('with deep metadata are refused by a typed error', () => {
    const nested = '['.repeat(5000) + ']'.repeat(5000);
    expect(() => parseSafetensors(file(`{"__metadata__":{"a":${nested}}}`))).toThrow(NsdfFormatError);
  });

  it.each(['toString', '__proto__', 'constructor'])('of type %s are refused by name', (dtype) => {
    const { tensors } = parseSafetensors(file(`{"w":{"dtype":"${dtype}","shape":[2],"data_offsets":[0,8]}}`));
    expect(() => tensorValues(tensors.get('w')!)).toThrow(new RegExp(`is ${dtype}, expected F32`));
  });
});

describe('options of any value are refused by a typed error', () => {
  const cycle: LooseJson = {};
  cycle.self = cycle;
  const values: readonly unknown[] = [
    cycle,
    5n,
    Object.create(null),
    Symbol('x'),
    { length: 3 },
    'abc',
    [1n, 2n, 3n],
  ];
  const names = [
    'tolerance',
    'resolution',
    'exact',
    'region',
    'blocks',
    'backend',
    'cache',
    'device',
    'signal',
    'onProgress',
  ];

  it.each(names)('%s', (name) => {
    const wrapped = values.flatMap((value) => [
      value,
      { min: value, max: value },
      { counts: value, tolerances: value },
    ]);
    for (const value of wrapped) {
      expect(() => validateDeriveOptions({ [name]: value } as never)).toThrow(
        expect.objectContaining({ code: 'argument', argument: name }),
      );
    }
  });
});

describe('errors from a worker', () => {
  it.each([
    null,
    undefined,
    7,
    'x',
    [],
    { name: 5 },
    { name: 'Error', message: 'x', code: 'format', fields: null },
  ])('that are none come as a load error: %o', (wire) => {
    expect(fromWire(wire)).toBeInstanceOf(NsdfLoadError);
  });

  it('may have any name, and causes that are circles', () => {
    for (const name of ['__proto__', 'toString', 'constructor']) {
      const wire = { name, message: 'm', stack: undefined, code: undefined, fields: {}, cause: undefined };
      expect(fromWire(wire)).toMatchObject({ name, message: 'm' });
    }
    const circle = new Error('round');
    circle.cause = circle;
    expect(fromWire(toWire(circle)).message).toBe('round');
    expect(toWire(Object.create(null)).message).toBe('an object');
  });
});

describe('budgets', () => {
  it('count errors as they come: looking at thousands of fields never goes back over them', () => {
    const issues = new IssueList();
    let nReads = 0;
    const list = new Proxy(issues.issues, {
      get: (target, key, receiver) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) nReads++;
        return Reflect.get(target, key, receiver);
      },
    });
    Object.defineProperty(issues, 'issues', { value: list });
    for (let i = 0; i < 500; i++) {
      issues.error('shape', 'broken');
      expect(issues.nErrors).toBe(i + 1);
    }
    expect(nReads).toBe(0);
  });

  it('refuse layers that share their bytes to be a large network', () => {
    const file = editField(writeNsdf(boxMlp()), (field) => {
      field.mlp.layers = Array.from({ length: 200 }, () => ({ nIn: 300, nOut: 300, weightsByteOffset: 0 }));
      field.mlp.bufferView = 0;
    });
    const { json } = unpack(file);
    json.bufferViews[0].byteLength = 300 * 300 * 4;
    json.buffers[0].byteLength = 300 * 300 * 4;
    const large = packGlb(json, new Uint8Array(300 * 300 * 4));
    expect(validateNsdf(large).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/18000000 weights, at most 8388608 can be derived/),
    );
    expect(() => readNsdf(large)).toThrow(NsdfError);
  });

  const ofScales = (...scales: number[]): FieldAsset => {
    const asset = randomField(3, { L: 1, T: 4, finest: 4, layers: [4] });
    const encoding = asset.encoding as HashGridEncoding;
    const levels = scales.map(
      (scale): GridLevel => ({
        ...encoding.levels[0],
        isDense: false,
        resolution: Math.ceil(scale) + 1,
        scale,
      }),
    );
    return { ...asset, encoding: { ...encoding, levels } };
  };

  it.each([[[15_000]], [Array.from({ length: 12 }, () => 2 ** 19)]])(
    'refuse grids finer than can be searched before they list their planes: %o',
    (scales) => {
      expect(() => createCpuField(ofScales(scales[0])).marks(0)).toThrow(NsdfBudgetError);
    },
  );

  it('refuse a scale that is no number before anything is made of it', () => {
    expect(() => createCpuField(ofScales(Number.POSITIVE_INFINITY))).toThrow(NsdfFormatError);
  });

  it('search a lattice of thousands of boxes an axis from few blocks, and refuse it in time', () => {
    const asset = ofScales(7000);
    const field = createCpuField(asset);
    const lattice = createLattice([field.marks(0), field.marks(1), field.marks(2)]);
    expect(() => runSteps(cullBoxes(field, lattice, new CornerTable(field, lattice)))).toThrow(
      NsdfBudgetError,
    );
  });

  it('give no pyramid to a level that is too wide for one, and build others in steps', () => {
    const [level] = (ofScales(250).encoding as HashGridEncoding).levels;
    const wide = { ...level, params: new Float32Array(level.nEntries * 64) };
    expect(253 ** 3 * 64).toBeGreaterThan(BUDGETS.nPyramidValues);
    expect([...buildPyramid(wide, 64)].length).toBeLessThan(4);
    const nSteps = [...buildPyramid({ ...level, scale: 90, resolution: 91 }, 2)].length;
    expect(nSteps).toBeGreaterThan((92 ** 3 * 2) / 2 ** 20);
  });

  it('are the same in docs/format.md', async () => {
    const { readFile } = await import('node:fs/promises');
    const text = await readFile(new URL('../../docs/format.md', import.meta.url), 'utf8');
    for (const [key, value] of Object.entries(BUDGETS)) {
      expect(text).toMatch(new RegExp(`\\| \`${key}\` \\| ${value.toLocaleString('en-US')} \\|`));
    }
  });
});

describe('a PLY', () => {
  const ply = (...lines: string[]): Uint8Array =>
    new TextEncoder().encode(['ply', 'format ascii 1.0', ...lines, 'end_header', ''].join('\n'));

  it.each([
    [
      'elements without properties',
      ply('element vertex 1', 'element edge 9000000000'),
      /lack|without properties/,
    ],
    [
      'the same beside nothing',
      ply('element user 7000000000'),
      /7000000000 elements "user" without properties/,
    ],
    [
      'more rows than it has bytes',
      ply('element vertex 900000000', ...['x', 'y', 'z'].map((n) => `property float ${n}`)),
      /truncated/,
    ],
    ['a type from the prototype', ply('element vertex 1', 'property toString x'), /PLY header/],
  ])('with %s ends', (_what, bytes, message) => {
    expect(() => meshFormatOf('a.ply').read(bytes)).toThrow(message);
    expect(() => meshFormatOf('a.ply').read(bytes)).toThrow(NsdfFormatError);
  });
});
