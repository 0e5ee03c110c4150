/** Decodes IEEE 754 half floats (as u16) to float32, exactly. */
export function decodeHalf(source: Uint16Array): Float32Array {
  const out = new Float32Array(source.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < source.length; i++) bits[i] = halfToFloatBits(source[i]);
  return out;
}

function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  // Subnormal: shift until the leading one is implicit.
  const shift = Math.clz32(mantissa) - 21;
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 1023) << 13);
}

/** Encodes float32 as half floats, rounding to nearest, ties to even; beyond 65504 the result is infinite. */
export function encodeHalf(source: Float32Array): Uint16Array {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  return Uint16Array.from(bits, floatBitsToHalf);
}

function floatBitsToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 255;
  const mantissa = bits & 0x7fffff;
  if (exponent === 255) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200);
  if (exponent >= 143) return sign | 0x7c00;
  // A carry out of the rounded mantissa runs into the exponent, which is right, also up to infinity.
  if (exponent >= 113) return sign | roundShift(((exponent - 112) << 23) | mantissa, 13);
  if (exponent < 102) return sign;
  return sign | roundShift(mantissa | 0x800000, 126 - exponent);
}

/** value / 2^shift, to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const quotient = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return quotient + (rest > half || (rest === half && (quotient & 1) === 1) ? 1 : 0);
}

/** Decodes bfloat16 (as u16) to float32, exactly. */
export function decodeBfloat16(source: Uint16Array): Float32Array {
  const out = new Float32Array(source.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < source.length; i++) bits[i] = source[i] << 16;
  return out;
}
