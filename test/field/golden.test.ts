import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { readNsdf } from '../../src/format/read.ts';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url));

describe('bunny-S', async () => {
  const [{ asset }] = readNsdf(await read('test/fixtures/bunny-S.nsdf')).nodes[0].mesh?.fields ?? [];
  const field = createCpuField(asset);
  const rows = (await read('test/golden/bunny-samples.txt'))
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.trim().split(/\s+/).map(Number));

  it('agrees with the training program in value and gradient', () => {
    expect(rows).toHaveLength(200);
    const points = Float64Array.from(rows.flatMap((row) => row.slice(0, 3)));
    const values = new Float64Array(rows.length);
    const gradients = new Float64Array(rows.length * 3);
    field.evaluateWithGradient(points, values, gradients);
    rows.forEach((row, i) => {
      expect(Math.abs(values[i] - row[3])).toBeLessThan(1e-11);
      for (let k = 0; k < 3; k++) expect(Math.abs(gradients[i * 3 + k] - row[4 + k])).toBeLessThan(1e-10);
    });
  });

  it('has the marks of its four levels', () => {
    const marks = field.marks(0);
    // 1, 4, 12 and 31 planes inside, at (k - 1/2) / scale, the ends, and one plane that two levels share.
    expect(marks).toHaveLength(49);
    expect([marks[0], marks[48]]).toEqual([-1, 1]);
    // The middle belongs to levels of scale 1 and 31.
    expect(marks[24]).toBeCloseTo(0, 12);
    expect(field.layerWidths).toEqual([16, 16]);
  });
});
