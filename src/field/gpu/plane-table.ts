import type { FieldAsset } from '../../format/asset.ts';
import { type DomainFrame, toInput } from '../frame.ts';
import { snapDistance } from '../level-boxes.ts';

/** Local coordinates of a lattice's planes, one sorted array an axis. */
export type PlaneSet = readonly [Float64Array, Float64Array, Float64Array];

/**
 * Where each plane of a lattice lies in each level's grid, found in double precision so that the kernels need no
 * rounding of coordinates: four 32-bit words a plane and level (the level fastest, axes one after the other),
 *
 *     cell and fraction (f32) of the plane as the lower end of a box; cell and fraction as the upper end.
 *
 * A plane on a grid plane, up to `snapDistance`, is the start of the cell above and the end of the cell below, as on the
 * CPU. Without a grid there is one "level", and both fractions are the encoder's input itself.
 */
export function buildPlaneTable(
  { encoding }: FieldAsset,
  frame: DomainFrame,
  planes: PlaneSet,
): { readonly words: Uint32Array<ArrayBuffer>; readonly firstPlane: readonly [number, number, number] } {
  const levels = encoding.kind === 'hash-grid' ? encoding.levels : [];
  const nLevels = Math.max(1, levels.length);
  const nPlanes = planes[0].length + planes[1].length + planes[2].length;
  const words = new Uint32Array(nPlanes * nLevels * 4);
  const floats = new Float32Array(words.buffer);
  let at = 0;
  for (let axis = 0; axis < 3; axis++) {
    for (const plane of planes[axis]) {
      const input = toInput(frame, axis, plane);
      if (levels.length === 0) {
        floats[at + 1] = input;
        floats[at + 3] = input;
        at += 4;
      }
      for (const level of levels) {
        const position = input * level.scale + level.offset;
        const snap = snapDistance(level);
        const lower = Math.floor(position + snap);
        const upper = Math.max(Math.ceil(position - snap), 1) - 1;
        words[at] = lower;
        floats[at + 1] = Math.max(0, position - lower);
        words[at + 2] = upper;
        floats[at + 3] = Math.min(1, position - upper);
        at += 4;
      }
    }
  }
  return { words, firstPlane: [0, planes[0].length, planes[0].length + planes[1].length] };
}
