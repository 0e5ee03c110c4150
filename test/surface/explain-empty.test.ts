import { describe, expect, test } from 'vitest';
import type { FieldAsset, MlpLayer } from '../../src/format/asset.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { blobMlp, boxMlp, emptyField, layer, octahedronMlp, sphereField } from '../fixtures/fields.ts';

/** g(f) for a field without output bias trouble: its last layer's value through two neurons more. */
function through(asset: FieldAsset, last: readonly MlpLayer[]): FieldAsset {
  const { layers, output } = asset;
  const end = layers[layers.length - 1];
  const rows = [1, -1].map((sign) => Array.from(end.weights.subarray(0, end.nIn), (w) => sign * w));
  const bias = [1, -1].map((sign) => sign * (end.bias?.[output.plus] ?? 0));
  return {
    ...asset,
    layers: [...layers.slice(0, -1), layer(rows, bias), ...last],
    output: { plus: 0, minus: null },
  };
}

const absolute = (asset: FieldAsset): FieldAsset => through(asset, [layer([[1, 1]], [0])]);
const rectified = (asset: FieldAsset): FieldAsset => through(asset, [layer([[1, 0]], [0])]);
const lifted = (asset: FieldAsset, by: number): FieldAsset => through(asset, [layer([[1, 1]], [by])]);
const reasonOf = async (asset: FieldAsset) => {
  const { isEmpty, stats } = await deriveMesh(asset, { resolution: 12, cache: false });
  return { isEmpty, emptyReason: stats.emptyReason };
};

const FIELDS: readonly (readonly [string, FieldAsset])[] = [
  ['an octahedron', octahedronMlp(0.55)],
  ['a small box', boxMlp([0.12, 0.2, 0.15], [0.3, -0.2, 0.1])],
  ['a blob', blobMlp(7, [8])],
  ['a sphere on a grid', sphereField({ cells: [5] })],
];

describe.each(FIELDS)('%s', (_name, asset) => {
  test('has a reason for nothing where it has a surface', async () => {
    expect(await reasonOf(asset)).toEqual({ isEmpty: false, emptyReason: undefined });
  });

  test('unsigned is told from one that never is zero', async () => {
    expect(await reasonOf(absolute(asset))).toEqual({ isEmpty: true, emptyReason: 'unsigned' });
    expect(await reasonOf(lifted(asset, 0.01))).toEqual({ isEmpty: true, emptyReason: 'positive' });
  });

  test('rectified is unsigned, too', async () => {
    expect((await reasonOf(rectified(asset))).emptyReason).toBe('unsigned');
  });
});

test('a field that is all inside says so', async () => {
  expect((await reasonOf(emptyField({ isInside: true }))).emptyReason).toBe('negative');
});
