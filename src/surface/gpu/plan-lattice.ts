import { NsdfUnsupportedError } from '../../errors.ts';
import type { Lattice } from '../../partition/corners.ts';
import type { SurfacePlan } from './surface-program.ts';

/** Bits of a corner's coordinate, and planes that a block's coordinate can name. */
const COORDINATE_BITS = 21;
const MAX_PLANES = 65535;

/** Boxes along x, y, z. */
export function countsOf({ planes }: Lattice): [number, number, number] {
  return planes.map((axis) => axis.length - 1) as [number, number, number];
}

/** @throws {NsdfUnsupportedError} if a lattice has too many planes, or too few */
export function checkLattice({ planes, subBits }: Lattice): void {
  const most = Math.max(...planes.map((axis) => axis.length));
  const isFine = Math.log2(most) + subBits <= COORDINATE_BITS;
  if (most <= MAX_PLANES && isFine && Math.min(...planes.map((axis) => axis.length)) >= 2) return;
  throw new NsdfUnsupportedError(
    'gpu-lattice-size',
    `The lattice has ${planes.map((axis) => axis.length).join(' x ')} planes; the GPU takes from 2 to ${MAX_PLANES} an axis, ${2 ** COORDINATE_BITS} with ${2 ** subBits} divisions each.`,
  );
}

/** Whether what was made for one plan serves another one, but for the tolerances. */
export function isSameLattice(a: SurfacePlan, b: SurfacePlan): boolean {
  const isSameBox = [0, 1, 2].every(
    (k) => a.bounds.min[k] === b.bounds.min[k] && a.bounds.max[k] === b.bounds.max[k],
  );
  const isSameTile = JSON.stringify(a.tile) === JSON.stringify(b.tile);
  const isSameBlocks = a.tolerances.counts.every((n, k) => n === b.tolerances.counts[k]);
  return (
    isSameBox &&
    isSameBlocks &&
    isSameTile &&
    a.lattice.planes.every((axis, k) => {
      const other = b.lattice.planes[k];
      return axis === other || (axis.length === other.length && axis.every((x, i) => x === other[i]));
    })
  );
}
