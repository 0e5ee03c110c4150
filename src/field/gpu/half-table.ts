import type { FieldAsset } from '../../format/asset.ts';

/**
 * What entries are multiplied by before they are rounded to half floats, a power of two: WGSL lets an implementation take
 * half-precision subnormals for zeros, and untrained entries are that small. None is left of those of a half float.
 */
export const HALF_SCALE = 2 ** 14;
const SCALE_BITS = 14;

/** f32 exponents whose multiple is a normal half float: 2^-28 to 4. */
const LEAST_EXPONENT = 113 - SCALE_BITS;
const MOST_EXPONENT = 142 - SCALE_BITS;
/** Bits of a float32's mantissa that a half float has not. */
const LOST_BITS = 0x1fff;

/** Whether a grid's entries can be kept as half floats without any loss, as those of files in half precision can. */
export function isHalfTable({ encoding }: FieldAsset): boolean {
  if (encoding.kind !== 'hash-grid' || encoding.nFeaturesPerLevel % 2 !== 0) return false;
  return encoding.levels.every(({ params }) => bitsOf(params).every(isHalf));
}

function isHalf(bits: number): boolean {
  const exponent = (bits >>> 23) & 255;
  if ((bits & 0x7fffffff) === 0) return true;
  return (bits & LOST_BITS) === 0 && exponent >= LEAST_EXPONENT && exponent <= MOST_EXPONENT;
}

/** Entries as half floats, times {@link HALF_SCALE}; all of them pass {@link isHalfTable}. */
export function packHalves(params: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(bitsOf(params), (bits) => {
    const sign = (bits >>> 16) & 0x8000;
    const exponent = (bits >>> 23) & 255;
    if (exponent === 0) return sign;
    return sign | ((exponent + SCALE_BITS - 112) << 10) | ((bits >>> 13) & 1023);
  });
}

function bitsOf(params: Float32Array): Uint32Array {
  return new Uint32Array(params.buffer, params.byteOffset, params.length);
}
