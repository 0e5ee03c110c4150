import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { describeField, type FieldUnderTest } from './describe-field.ts';

/** The CPU's field behind the suite's asynchronous surface. */
async function onCpu(asset: FieldAsset): Promise<FieldUnderTest> {
  const field = createCpuField(asset);
  return {
    async evaluate(points) {
      const values = new Float64Array(points.length / 3);
      field.evaluate(points, values);
      return values;
    },
    async evaluateWithGradient(points) {
      const [values, gradients] = [new Float64Array(points.length / 3), new Float64Array(points.length)];
      field.evaluateWithGradient(points, values, gradients);
      return { values, gradients };
    },
    async boundBlocks(planes, blocks, size) {
      const n = blocks.length / 3;
      const [lo, hi] = [new Float64Array(n), new Float64Array(n)];
      for (let b = 0; b < n; b++) {
        const end = (k: number): number => Math.min(blocks[b * 3 + k] + size, planes[k].length - 1);
        const bound = field.bound(
          [0, 1, 2].map((k) => planes[k][blocks[b * 3 + k]]),
          [0, 1, 2].map((k) => planes[k][end(k)]),
        );
        [lo[b], hi[b]] = [bound.lo, bound.hi];
      }
      return { lo, hi };
    },
    dispose: () => {},
  };
}

describeField('cpu', onCpu, 'double');
