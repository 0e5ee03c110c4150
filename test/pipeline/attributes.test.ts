import { describe, expect, it } from 'vitest';
import { PartitionCache } from '../../src/cache/partition-cache.ts';
import { NsdfArgumentError } from '../../src/errors.ts';
import { createAttribute } from '../../src/field/attribute-field.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import type { DeriveOptions } from '../../src/options.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { localPositions, type SurfaceMesh } from '../../src/surface/mesh.ts';
import { coloredBox, RAMP, rampAt } from '../fixtures/colored-fields.ts';
import { randomField, sphereField } from '../fixtures/fields.ts';

const BOX = coloredBox();
const derive = (asset: FieldAsset, options: DeriveOptions = {}) =>
  deriveMesh(asset, { backend: 'cpu', cache: false, resolution: 6, ...options });

function expectRamp(mesh: SurfaceMesh): void {
  const points = localPositions(mesh);
  const colors = mesh.attributes?.COLOR_0 as Float32Array;
  expect(colors.length).toBe(points.length);
  expect(points.length).toBeGreaterThan(60);
  for (let i = 0; i < points.length; i += 3) {
    const expected = rampAt([...points.subarray(i, i + 3)]);
    expected.forEach((value, k) => {
      expect(colors[i + k]).toBeCloseTo(value, 5);
    });
  }
}

describe('createAttribute', () => {
  it('is the network, output by output, whatever batch a point is in', () => {
    const grid = randomField(11, { L: 3, F: 3, T: 7, layers: [9, 5] });
    const attribute = createAttribute({ ...BOX, attributes: { _VALUE: grid } }, '_VALUE');
    const points = Float64Array.from({ length: 3 * 131 }, (_, i) => Math.sin(i * 1.7) * 0.99);
    const values = new Float64Array(131);
    attribute.evaluate(points, values);
    const expected = new Float64Array(131);
    createCpuField({
      ...grid,
      output: { plus: 0, minus: null },
      isNegativeInside: true,
      valueScale: 1,
    }).evaluate(points, expected);
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 12);
    });
    const one = new Float64Array(1);
    attribute.evaluate(points.subarray(300, 303), one);
    expect(one[0]).toBe(values[100]);
  });

  it('says which attributes there are', () => {
    expect(() => createAttribute(BOX, 'COLOR_1')).toThrow(NsdfArgumentError);
    expect(() => createAttribute(BOX, 'toString')).toThrow(/only COLOR_0, _READINGS/);
  });
});

describe('a mesh of a field with attributes', () => {
  it('has them at its vertices', async () => {
    const { mesh } = await derive(BOX);
    expectRamp(mesh);
    expect(mesh.attributes?._READINGS.length).toBe((mesh.positions.length / 3) * 4);
    const { mesh: plain } = await derive({ ...BOX, attributes: undefined as never });
    expect(plain.attributes).toBeUndefined();
    expect(plain.positions).toEqual(mesh.positions);
  });

  it.each([
    { maxVertices: 40 },
    { creaseAngle: 30 },
    { cap: true },
    { preview: 8, resolution: undefined as never },
  ])('has them after all that is done with a mesh: %o', async (options) => {
    const { mesh } = await derive(BOX, options);
    const points = localPositions(mesh);
    expect(mesh.attributes?.COLOR_0.length).toBe(points.length);
    const last = points.length - 3;
    rampAt([...points.subarray(last)]).forEach((value, k) => {
      expect(mesh.attributes?.COLOR_0[last + k]).toBeCloseTo(value, 5);
    });
  });

  it('has them where it lies far from zero', async () => {
    const at = 5_000_000;
    const shift = (x: number) => x + at;
    const move = ([x, y, z]: readonly number[]) => [shift(x), shift(y), shift(z)] as const;
    const { min, max } = BOX.domain;
    const grid = sphereField({ cells: [4] });
    const far: FieldAsset = {
      ...grid,
      domain: { min: move(min), max: move(max) },
      attributes: { COLOR_0: RAMP },
    };
    const { mesh } = await derive(far);
    expect(mesh.origin).toBeDefined();
    const points = localPositions(mesh);
    const colors = new Float32Array(points.length);
    createAttribute(far, 'COLOR_0').evaluate(points, colors);
    expect(mesh.attributes?.COLOR_0).toEqual(colors);
  });

  it('has those of its own field when it is found in a cache', async () => {
    const cache = new PartitionCache({ store: null });
    const first = await derive(BOX, { cache });
    const again = await derive(BOX, { cache });
    expect(again.stats.cache.use).toBe('memory');
    expect(again.mesh).toEqual(first.mesh);
    const other = {
      ...BOX,
      attributes: { COLOR_0: { ...RAMP, layers: [{ ...RAMP.layers[0], bias: null }] } },
    };
    const { mesh } = await derive(other, { cache });
    expect(mesh.positions).toEqual(first.mesh.positions);
    expect(mesh.attributes?.COLOR_0).not.toEqual(first.mesh.attributes?.COLOR_0);
  });
});
