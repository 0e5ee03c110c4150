import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset, HashGridEncoding } from '../../src/format/asset.ts';
import { type NsdfPrefix, readField, readNsdfPrefix } from '../../src/format/read.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { evaluateReference, octahedronMlp, randomField, randomPoints } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';

const bunny = new Uint8Array(readFileSync(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url)));

/** Reads a file at every length at which there is more to see, as a download does. */
function readSteps(file: Uint8Array): NsdfPrefix[] {
  const steps: NsdfPrefix[] = [];
  for (let n = 20; n <= file.length; n++) {
    const prefix = readNsdfPrefix(file.subarray(0, n));
    if (prefix === null) continue;
    steps.push(prefix);
    if (prefix.nextByteLength === null) return steps;
    expect(prefix.nextByteLength).toBeGreaterThan(n);
    n = prefix.nextByteLength - 1;
  }
  return steps;
}

/** The field with the entries of its last levels set to zero. */
function withoutLevels(asset: FieldAsset, nLevels: number): FieldAsset {
  const encoding = asset.encoding as HashGridEncoding;
  const levels = encoding.levels.map((level, l) =>
    l < nLevels ? level : { ...level, params: new Float32Array(level.params.length) },
  );
  return { ...asset, encoding: { ...encoding, levels } };
}

describe('readNsdfPrefix', () => {
  test('gives nothing before the JSON is whole, then one level after the other', () => {
    expect(readNsdfPrefix(bunny.subarray(0, 11))).toBeNull();
    expect(readNsdfPrefix(bunny.subarray(0, 200))).toBeNull();
    const steps = readSteps(bunny);
    expect([...new Set(steps.map(({ nLevels }) => nLevels))]).toEqual([0, 1, 2, 3, 4]);
    expect(
      steps.every(({ nLevelsTotal, byteLength }) => nLevelsTotal === 4 && byteLength === bunny.length),
    ).toBe(true);
    const three = steps.find(({ nLevels }) => nLevels === 3) as NsdfPrefix;
    expect(three.nextByteLength).toBe(bunny.length);
    const nBytes = steps[steps.indexOf(three) - 1].nextByteLength as number;
    expect(nBytes / bunny.length).toBeLessThan(0.085);
  });

  test.each(['f32', 'f16'] as const)('is the field with zeros for what has not arrived: %s', (dtype) => {
    const asset = randomField(5, { L: 4, F: 3, T: 9 });
    const file = writeNsdf(asset, { dtype });
    const whole = readField(file);
    const points = randomPoints(seededRandom(7), asset.domain, 50);
    const steps = readSteps(file);
    expect(steps.at(-1)?.nLevels).toBe(4);
    for (const { fields, nLevels } of steps.filter((step) => step.nLevels > 0)) {
      const values = new Float64Array(50);
      createCpuField(fields[0].field.asset).evaluate(Float64Array.from(points.flat()), values);
      const zeroed = withoutLevels(whole, nLevels);
      for (const [i, value] of values.entries()) {
        expect(value).toBeCloseTo(evaluateReference(zeroed, points[i]), 6);
      }
    }
  });

  test('places fields, and gives the fallback mesh once it is there', () => {
    const fallback = {
      positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0),
      normals: null,
      indices: Uint32Array.of(0, 1, 2),
    };
    const scene = sceneOf([octahedronMlp(), randomField(3)], { fallback });
    const nodes = scene.nodes.map((node, i) => ({ ...node, translation: [i, 0, 0] as const }));
    const steps = readSteps(writeNsdf({ ...scene, nodes }));
    const first = steps.find(({ fields }) => fields.length > 0) as NsdfPrefix;
    expect(first.fields[0].field.asset.encoding.kind).toBe('none');
    expect(first.fields[0].field.fallback?.indices).toEqual(Uint32Array.of(0, 1, 2));
    const last = steps.at(-1) as NsdfPrefix;
    expect(last.fields).toHaveLength(2);
    expect(last.fields[1].matrixWorld[12]).toBe(1);
  });

  test('never throws, whatever the bytes', () => {
    const file = writeNsdf(randomField(9));
    for (let i = 0; i < 400; i++) {
      const broken = file.slice(0, 200 + ((i * 37) % (file.length - 200)));
      broken[(i * 101) % broken.length] ^= 1 << (i % 8);
      expect(() => readNsdfPrefix(broken)).not.toThrow();
    }
    expect(readNsdfPrefix(new TextEncoder().encode('not a field at all, but long enough'))).toBeNull();
  });

  test('the bunny is a bunny, roughly, at 8 % of its bytes', async () => {
    const three = readSteps(bunny).find(({ nLevels }) => nLevels === 3) as NsdfPrefix;
    const { mesh } = await deriveMesh(three.fields[0].field.asset, { tolerance: 2e-2 });
    const distances = new Float64Array(mesh.positions.length / 3);
    createCpuField(readField(bunny)).evaluate(Float64Array.from(mesh.positions), distances);
    const mean = distances.reduce((sum, d) => sum + Math.abs(d), 0) / distances.length;
    expect(distances.length).toBeGreaterThan(100);
    expect(mean).toBeLessThan(0.04); // of a shape that is 1.6 across
    expect(mean).toBeGreaterThan(0.005); // no wonder: it is another function
  });
});
