import { describe, expect, it } from 'vitest';
import { NsdfError, NsdfFormatError, NsdfUnsupportedError } from '../../src/errors.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { roundField } from '../../src/format/encode-field.ts';
import { readField } from '../../src/format/read.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { importSafetensors } from '../../src/import/import-safetensors.ts';
import { boxMlp, FIELD_CASES, randomField, sphereField } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';
import { packSafetensors, type TensorSource, tensor, toTensors } from './make-safetensors.ts';

/** Only networks that are negative inside have a place in this layout, and the grid offset is always 0.5. */
const CASES = FIELD_CASES.filter(({ name }) => name !== 'sphere, positive inside');

function pack(asset: FieldAsset, dtype?: string, pad?: number): Uint8Array {
  const { tensors, metadata } = toTensors(asset, dtype);
  return packSafetensors(tensors, metadata, pad);
}

describe.each(CASES)('$name', ({ make }) => {
  it('is imported as it was saved', () => {
    expect(importSafetensors(pack(make()))).toEqual(make());
  });

  it('converts to .nsdf', () => {
    expect(readField(writeNsdf(importSafetensors(pack(make()))))).toEqual(make());
  });
});

describe('the stored type', () => {
  const asset = sphereField({ cells: [3, 5] });

  it('may be F64, F16 or BF16', () => {
    expect(importSafetensors(pack(asset, 'F64'))).toEqual(asset);
    expect(importSafetensors(pack(asset, 'F16'))).toEqual(roundField(asset, 'f16'));
    const { layers } = importSafetensors(pack(asset, 'BF16'));
    const error = layers[0].bias!.map((b, i) => Math.abs(b - asset.layers[0].bias![i]));
    expect(Math.max(...error)).toBeLessThan(0.17 / 128);
  });

  it('F32 is viewed where it is aligned, copied where it is not', () => {
    const file = pack(asset);
    expect(importSafetensors(file).layers[0].weights.buffer).toBe(file.buffer);
    for (const pad of [1, 2, 3]) expect(importSafetensors(pack(asset, 'F32', pad))).toEqual(asset);
    const shifted = new Uint8Array(file.length + 1).subarray(1);
    shifted.set(file);
    expect(importSafetensors(shifted)).toEqual(asset);
    expect(importSafetensors(file.slice().buffer)).toEqual(asset);
  });
});

/** A file with some tensors and metadata changed; undefined removes. */
function variant(
  asset: FieldAsset,
  changes: {
    readonly tensors?: Readonly<Record<string, TensorSource | undefined>>;
    readonly metadata?: Readonly<Record<string, string | undefined>>;
  },
): Uint8Array {
  const { tensors, metadata } = toTensors(asset);
  const present = <T>(record: Record<string, T | undefined>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined),
    );
  return packSafetensors(
    present({ ...tensors, ...changes.tensors }),
    present({ ...metadata, ...changes.metadata }),
  );
}

describe('layers', () => {
  it('are ordered by number, not by name, and may have gaps', () => {
    const deep = importSafetensors(pack(FIELD_CASES.find(({ name }) => name === 'random mlp 8x32')!.make()));
    const { tensors, metadata } = toTensors(deep);
    const renamed = Object.entries(tensors).map(([name, value]) => {
      const [, i, part] = name.split('.');
      return [`fc.${2 * Number(i)}.${part}`, value] as const;
    });
    expect(importSafetensors(packSafetensors(Object.fromEntries(renamed.reverse()), metadata))).toEqual(deep);
  });

  it('may go without biases', () => {
    const file = variant(boxMlp(), {
      tensors: { 'fc.0.bias': undefined, 'fc.1.bias': undefined, 'fc.3.bias': undefined },
    });
    expect(importSafetensors(file).layers.map(({ bias }) => bias)).toEqual([null, null, null, null]);
  });
});

describe('metadata', () => {
  it('names the field, or the caller does', () => {
    const file = variant(boxMlp(), { metadata: { name: undefined } });
    expect(importSafetensors(file).name).toBe('field');
    expect(importSafetensors(file, { name: 'box' }).name).toBe('box');
    expect(importSafetensors(pack(boxMlp()), { name: 'other' }).name).toBe('box-mlp');
  });

  it('may leave out the output of a network with one, and the encoder', () => {
    expect(importSafetensors(variant(boxMlp(), { metadata: { output: undefined } })).output).toEqual({
      plus: 0,
      minus: null,
    });
    const sphere = sphereField({ cells: [3] });
    expect(importSafetensors(variant(sphere, { metadata: { encoder: undefined } }))).toEqual(sphere);
    expect(importSafetensors(variant(boxMlp(), { metadata: { encoder: undefined } }))).toEqual(boxMlp());
  });

  it('without "input" means local coordinates', () => {
    const file = variant(boxMlp(), { metadata: { input: undefined } });
    expect(importSafetensors(file).encoding).toEqual({ kind: 'none', inputSpace: 'local' });
  });

  it('stays right without the stored levels', () => {
    const asset = randomField(4, { L: 4, T: 8, base: 2, finest: 32 });
    const metadata = {
      base_resolution: '2',
      per_level_scale: '2.519842099789746',
      level_scales: undefined,
      level_resolutions: undefined,
      level_entries: undefined,
      level_dense: undefined,
    };
    expect(importSafetensors(variant(asset, { metadata }))).toEqual(asset);
  });
});

function expectRefused(
  file: Uint8Array,
  type: 'format' | 'unsupported',
  message: RegExp,
  place: object,
): void {
  let error: unknown;
  try {
    importSafetensors(file);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(type === 'format' ? NsdfFormatError : NsdfUnsupportedError);
  expect(error).toMatchObject(place);
  expect((error as Error).message).toMatch(message);
}

describe('refuses', () => {
  const box = boxMlp();
  const sphere = sphereField({ cells: [3, 5] });
  const row = (n: number): TensorSource => tensor([n], new Float32Array(n));

  it('missing tensors', () => {
    expectRefused(
      variant(box, { tensors: { 'fc.1.weight': undefined } }),
      'format',
      /fc.1.weight is missing/,
      {
        field: 'fc.1.weight',
      },
    );
    expectRefused(variant(sphere, { tensors: { 'enc.params': undefined } }), 'format', /missing/, {
      field: 'enc.params',
    });
    expectRefused(packSafetensors({ 'net.0.weight': row(3) }), 'format', /no layers: .* found net.0.weight/, {
      field: 'fc',
    });
  });

  it('shapes that don’t chain, by tensor', () => {
    const swapped = { 'fc.1.weight': tensor([5, 5], new Float32Array(25)) };
    expectRefused(
      variant(box, { tensors: swapped }),
      'format',
      /layer 1 reads 5 values but layer 0 gives 6/,
      {
        field: 'fc.1.weight',
      },
    );
    expectRefused(variant(box, { tensors: { 'fc.0.bias': row(5) } }), 'format', /5 biases, expected 6/, {
      field: 'fc.0.weight',
    });
    expectRefused(
      variant(box, { tensors: { 'fc.0.weight': row(18) } }),
      'format',
      /shape \[18\], expected 2/,
      {
        field: 'fc.0.weight',
      },
    );
    expectRefused(variant(sphere, { metadata: { output: 'out[3]' } }), 'format', /row 3 of the last layer/, {
      field: '__metadata__.output',
    });
  });

  it('levels that don’t account for all parameters', () => {
    expectRefused(
      variant(sphere, { metadata: { level_entries: '[128, 336]' } }),
      'format',
      /enc.params has 472 values, expected 464/,
      {
        field: 'enc.params',
      },
    );
    expectRefused(variant(sphere, { metadata: { n_levels: '0' } }), 'format', /n_levels is 0/, {
      field: '__metadata__.n_levels',
    });
    expectRefused(
      variant(sphere, { metadata: { n_levels: undefined } }),
      'format',
      /n_levels is missing/,
      {},
    );
    expectRefused(variant(sphere, { metadata: { level_scales: '[3.25]' } }), 'format', /expected 2 numbers/, {
      field: '__metadata__.level_scales',
    });
    expectRefused(variant(sphere, { metadata: { level_scales: 'x' } }), 'format', /expected JSON/, {});
  });

  it('NaN among the weights, by tensor and byte', () => {
    const broken = Float32Array.from(box.layers[1].weights).fill(Number.NaN, 7, 9);
    const file = variant(box, { tensors: { 'fc.1.weight': tensor([5, 6], broken) } });
    expectRefused(file, 'format', /holds NaN at 7 and 1 more/, { field: 'fc.1.weight' });
    const view = new DataView(file.buffer);
    try {
      importSafetensors(file);
    } catch (error) {
      expect(view.getFloat32((error as NsdfFormatError).byteOffset!, true)).toBeNaN();
    }
    const params = new Float32Array(472);
    params[200] = Number.POSITIVE_INFINITY;
    const grid = variant(sphere, { tensors: { 'enc.params': tensor([472], params) } });
    expectRefused(grid, 'format', /the table of level 1 holds Infinity at 72/, { field: 'enc.params' });
  });

  it('two-dimensional networks', () => {
    const flat = { 'fc.0.weight': tensor([6, 2], new Float32Array(12)) };
    expectRefused(variant(box, { tensors: flat }), 'unsupported', /a 2-D network/, { feature: '2-D field' });
    const metadata = { domain_box: undefined, domain: '[-1,1]^2' };
    expectRefused(variant(sphere, { metadata }), 'unsupported', /2 dimensions/, { feature: '2-D field' });
  });

  it.each([
    ['encoder', 'triplane', /expected "hashgrid"/],
    ['activation', 'Softplus', /only ReLU networks are piecewise/],
    ['activation', 'sine', /distil/],
    ['interpolation', 'Smoothstep', /only linear interpolation/],
    ['output', 'tanh(out[0])', /expected "out\[i\]"/],
  ])('%s %s', (key, value, message) => {
    expectRefused(variant(sphere, { metadata: { [key]: value } }), 'unsupported', message, {});
  });

  it('weight norm and unknown parameters of layers', () => {
    expectRefused(variant(box, { tensors: { 'fc.0.weight_g': row(6) } }), 'unsupported', /weight-normed/, {
      feature: 'weight norm',
    });
    expectRefused(
      variant(box, { tensors: { 'fc.0.gamma': row(6) } }),
      'unsupported',
      /fc.0.gamma is unknown/,
      {},
    );
  });

  it('integers, by tensor', () => {
    const file = variant(box, {
      tensors: { 'fc.3.bias': { dtype: 'I32', shape: [1], bytes: new Uint8Array(4) } },
    });
    expectRefused(file, 'unsupported', /fc.3.bias is I32/, { feature: 'dtype I32' });
  });
});

describe('damaged files', () => {
  const file = pack(sphereField({ cells: [2, 3] }));

  it('are imported or refused, whatever bit flips', () => {
    const random = seededRandom(201);
    const headerEnd = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
    let nRefused = 0;
    for (let i = 0; i < 4000; i++) {
      const copy = file.slice();
      const end = i % 2 ? copy.length : headerEnd;
      copy[Math.floor(random() * end)] ^= 1 << Math.floor(random() * 8);
      try {
        importSafetensors(copy);
      } catch (error) {
        if (!(error instanceof NsdfError)) throw new Error(`seed 201, case ${i}: ${error}`, { cause: error });
        nRefused++;
      }
    }
    expect(nRefused).toBeGreaterThan(1000);
  });

  it('are refused at every length', () => {
    for (let length = 0; length < file.length; length++) {
      expect(() => importSafetensors(file.slice(0, length))).toThrow(NsdfFormatError);
    }
  });
});
