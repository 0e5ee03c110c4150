import { expect, test } from 'vitest';
import { NsdfGpuError } from '../../src/errors.ts';
import { COUNTS, SUMMARY_AT, SUMMARY_WORDS } from '../../src/surface/gpu/structs.ts';
import { stopsOf, throwIfOutside } from '../../src/surface/gpu/summary.ts';

test('a mesh of the GPU that left its domain is refused; bounds count as single precision has them', () => {
  const wanted = { min: [-0.1, 0, 0], max: [1, 1.3, 1] } as const;
  const rounded = { min: [Math.fround(-0.1), 0, 0], max: [1, Math.fround(1.3), 1] } as const;
  expect(() => throwIfOutside(rounded, wanted)).not.toThrow();
  expect(() => throwIfOutside(undefined, wanted)).not.toThrow();
  expect(() => throwIfOutside({ ...rounded, max: [1, 1.3001, 1] }, wanted)).toThrow(NsdfGpuError);
  expect(() => throwIfOutside({ ...rounded, min: [-0.1, -1e-6, 0] }, wanted)).toThrow(NsdfGpuError);
});

test('what limits ended is told by the summary and the counts', () => {
  const summary = new Uint32Array(SUMMARY_WORDS);
  const counts = new Uint32Array(COUNTS.byteLength / 4);
  summary[SUMMARY_AT.unsound] = 2;
  summary[SUMMARY_AT.left] = 3;
  counts[COUNTS.at.refused] = 5;
  expect(stopsOf(summary, counts)).toEqual({ nBoxesUnsound: 2, nPlacesLeft: 3, nDivisionsRefused: 5 });
});
