import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';

/**
 * The affine map, axis by axis, from local units to what the encoder reads: input = (p - origin) * scale, with p in the
 * domain. That is the unit cube, or the local coordinates themselves.
 */
export interface DomainFrame {
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly origin: Float64Array;
  readonly scale: Float64Array;
  /** Largest input; rounding may not lead above it. */
  readonly top: Float64Array;
}

/** @throws {NsdfArgumentError} if an extent is not a positive finite number. */
export function createFrame({ domain, encoding }: Pick<FieldAsset, 'domain' | 'encoding'>): DomainFrame {
  const { min, max } = domain;
  for (let axis = 0; axis < 3; axis++) {
    const extent = max[axis] - min[axis];
    if (!(extent > 0 && Number.isFinite(extent))) {
      throw new NsdfArgumentError(
        'asset.domain',
        `The domain's extent along axis ${axis} is ${extent}; expected max > min, both finite.`,
      );
    }
  }
  const ends = { min: Float64Array.from(min), max: Float64Array.from(max) };
  if (encoding.kind === 'none' && encoding.inputSpace === 'local') {
    const { origin = [0, 0, 0] } = encoding;
    return {
      ...ends,
      origin: Float64Array.from(origin, (x) => 0 - x),
      scale: Float64Array.of(1, 1, 1),
      top: Float64Array.from(max, (hi, axis) => hi + origin[axis]),
    };
  }
  return {
    ...ends,
    origin: Float64Array.from(min),
    scale: Float64Array.from(max, (hi, axis) => 1 / (hi - min[axis])),
    top: Float64Array.of(1, 1, 1),
  };
}

/** Encoder input of one local coordinate of the domain; monotone in `local`, in floating point too. */
export function toInput(frame: DomainFrame, axis: number, local: number): number {
  const clamped = Math.min(Math.max(local, frame.min[axis]), frame.max[axis]);
  return Math.min((clamped - frame.origin[axis]) * frame.scale[axis], frame.top[axis]);
}

/**
 * Maps points to encoder inputs, as {@link toInput} does; points outside the domain are clamped to it first.
 * @param pointsLocal 3n coordinates from index `start * 3` on.
 * @param inputs f64[3n], overwritten.
 * @param distance f64[n]: the distance (local units) by which each point was moved.
 * @returns whether any point was outside.
 */
export function toInputs(
  frame: DomainFrame,
  pointsLocal: ArrayLike<number>,
  start: number,
  n: number,
  inputs: Float64Array,
  distance: Float64Array,
): boolean {
  const { min, max, origin, scale, top } = frame;
  const [minX, minY, minZ] = min;
  const [maxX, maxY, maxZ] = max;
  let isAnyOutside = false;
  for (let p = 0, i = start * 3, o = 0; p < n; p++, i += 3, o += 3) {
    let x = pointsLocal[i];
    let y = pointsLocal[i + 1];
    let z = pointsLocal[i + 2];
    let d = 0;
    if (!(x >= minX && x <= maxX && y >= minY && y <= maxY && z >= minZ && z <= maxZ)) {
      const qx = x < minX ? minX : x > maxX ? maxX : x;
      const qy = y < minY ? minY : y > maxY ? maxY : y;
      const qz = z < minZ ? minZ : z > maxZ ? maxZ : z;
      d = Math.hypot(x - qx, y - qy, z - qz);
      x = qx;
      y = qy;
      z = qz;
      isAnyOutside = true;
    }
    const u = (x - origin[0]) * scale[0];
    const v = (y - origin[1]) * scale[1];
    const w = (z - origin[2]) * scale[2];
    inputs[o] = u > top[0] ? top[0] : u;
    inputs[o + 1] = v > top[1] ? top[1] : v;
    inputs[o + 2] = w > top[2] ? top[2] : w;
    distance[p] = d;
  }
  return isAnyOutside;
}
