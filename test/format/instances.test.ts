import { describe, expect, it } from 'vitest';
import { IDENTITY_NODE, listFields, type NsdfNode } from '../../src/format/scene.ts';
import { sceneOf } from '../../src/format/write.ts';
import { boxMlp, planeMlp } from '../fixtures/fields.ts';

const scene = sceneOf([boxMlp(), planeMlp()]);
const [box, plane] = scene.nodes.map(({ mesh }) => mesh);

function apply(m: readonly number[], [x, y, z]: readonly number[]): number[] {
  return [0, 1, 2].map((row) => m[row] * x + m[4 + row] * y + m[8 + row] * z + m[12 + row]);
}

function expectNear(found: readonly number[], expected: readonly number[]): void {
  expected.forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, 12);
  });
}

describe('listFields', () => {
  it('gives fields at the origin the identity', () => {
    expect(
      listFields(scene).map(({ nodeName, matrixWorld }) => [nodeName, apply(matrixWorld, [1, 2, 3])]),
    ).toEqual([
      ['box-mlp', [1, 2, 3]],
      ['plane-mlp', [1, 2, 3]],
    ]);
  });

  it('composes translation * rotation * scale down the graph', () => {
    const quarter = Math.SQRT1_2;
    const child: NsdfNode = { ...IDENTITY_NODE, mesh: plane, scale: [2, 3, 4] };
    // A quarter turn about z takes x to y.
    const parent: NsdfNode = {
      ...IDENTITY_NODE,
      mesh: box,
      translation: [10, 20, 30],
      rotation: [0, 0, quarter, quarter],
      children: [child],
    };
    const [first, second] = listFields({ ...scene, nodes: [parent] });
    expect(first.field.asset.name).toBe('box-mlp');
    expectNear(apply(first.matrixWorld, [1, 0, 0]), [10, 21, 30]);
    expectNear(apply(second.matrixWorld, [1, 1, 1]), [7, 22, 34]);
  });

  it('takes a matrix as it is', () => {
    const matrix = [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 5, 6, 7, 1];
    const [only] = listFields({ ...scene, nodes: [{ ...IDENTITY_NODE, matrix, mesh: box }] });
    expect(only.matrixWorld).toEqual(matrix);
  });
});
