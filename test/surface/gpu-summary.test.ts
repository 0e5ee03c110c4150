import { expect, test } from 'vitest';
import { NsdfGpuError } from '../../src/errors.ts';
import { throwIfOutside } from '../../src/surface/gpu/summary.ts';

test('a mesh of the GPU that left its domain is refused; bounds count as single precision has them', () => {
  const wanted = { min: [-0.1, 0, 0], max: [1, 1.3, 1] } as const;
  const rounded = { min: [Math.fround(-0.1), 0, 0], max: [1, Math.fround(1.3), 1] } as const;
  expect(() => throwIfOutside(rounded, wanted)).not.toThrow();
  expect(() => throwIfOutside(undefined, wanted)).not.toThrow();
  expect(() => throwIfOutside({ ...rounded, max: [1, 1.3001, 1] }, wanted)).toThrow(NsdfGpuError);
  expect(() => throwIfOutside({ ...rounded, min: [-0.1, -1e-6, 0] }, wanted)).toThrow(NsdfGpuError);
});
