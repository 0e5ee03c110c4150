import type { RegionNetwork } from './region-network.ts';

/** Most neurons of one box that may change sign in it; a box with more is bisected. */
export const MAX_UNITS = 128;

/** Value and gradient of the multilinear function with corner values a[offset...]; out = [value, d/dt0, d/dt1, d/dt2]. */
function multilinear(
  out: Float64Array,
  a: Float64Array,
  offset: number,
  nCorners: number,
  x: number,
  y: number,
  z: number,
): void {
  const d0 = a[offset + 1] - a[offset];
  const low = a[offset] + x * d0;
  if (nCorners === 2) {
    out[0] = low;
    out[1] = d0;
    return;
  }
  const d1 = a[offset + 3] - a[offset + 2];
  const high = a[offset + 2] + x * d1;
  const face0 = low + y * (high - low);
  const face0x = d0 + y * (d1 - d0);
  if (nCorners === 4) {
    out[0] = face0;
    out[1] = face0x;
    out[2] = high - low;
    return;
  }
  const d2 = a[offset + 5] - a[offset + 4];
  const d3 = a[offset + 7] - a[offset + 6];
  const low1 = a[offset + 4] + x * d2;
  const high1 = a[offset + 6] + x * d3;
  const face1 = low1 + y * (high1 - low1);
  const face1x = d2 + y * (d3 - d2);
  out[0] = face0 + z * (face1 - face0);
  out[1] = face0x + z * (face1x - face0x);
  out[2] = high - low + z * (high1 - low1 - (high - low));
  out[3] = face1 - face0;
}

/**
 * See {@link RegionNetwork.evaluate}; also leaves every v_u in `unitValues` and its gradient in `unitGradients` (3 a
 * unit) where those are given.
 */
export function evaluateRegion(
  net: RegionNetwork,
  t: ArrayLike<number>,
  gradient?: Float64Array,
  unitValues?: Float64Array,
  unitGradients?: Float64Array,
): number {
  const { nCorners, nUnits, unitB, fB } = net;
  const x = t[0];
  const y = nCorners > 2 ? t[1] : 0;
  const z = nCorners > 4 ? t[2] : 0;
  const dim = nCorners === 8 ? 3 : nCorners === 4 ? 2 : 1;
  const { relu, gradients, out } = net.scratch;
  if (nUnits === 0) {
    multilinear(out, net.fA, 0, nCorners, x, y, z);
    if (gradient) for (let k = 0; k < dim; k++) gradient[k] = out[1 + k];
    return out[0];
  }
  for (let u = 0; u < nUnits; u++) {
    multilinear(out, net.unitA, u * 8, nCorners, x, y, z);
    let v = out[0];
    const row = u * MAX_UNITS;
    for (let w = 0; w < u; w++) {
      if (relu[w] !== 0) v += unitB[row + w] * relu[w];
    }
    if (unitValues) unitValues[u] = v;
    relu[u] = v > 0 ? v : 0;
    // Of a unit that is off nobody else asks the gradient.
    if (v <= 0 && !unitGradients) continue;
    let g0 = out[1];
    let g1 = out[2];
    let g2 = out[3];
    for (let w = 0; w < u; w++) {
      const b = unitB[row + w];
      if (b === 0 || relu[w] === 0) continue;
      g0 += b * gradients[w * 3];
      g1 += b * gradients[w * 3 + 1];
      g2 += b * gradients[w * 3 + 2];
    }
    if (unitGradients) {
      unitGradients[u * 3] = g0;
      unitGradients[u * 3 + 1] = g1;
      unitGradients[u * 3 + 2] = g2;
    }
    gradients[u * 3] = g0;
    gradients[u * 3 + 1] = g1;
    gradients[u * 3 + 2] = g2;
  }
  multilinear(out, net.fA, 0, nCorners, x, y, z);
  let f = out[0];
  for (let u = 0; u < nUnits; u++) {
    if (relu[u] === 0) continue;
    f += fB[u] * relu[u];
    out[1] += fB[u] * gradients[u * 3];
    out[2] += fB[u] * gradients[u * 3 + 1];
    out[3] += fB[u] * gradients[u * 3 + 2];
  }
  if (gradient) for (let k = 0; k < dim; k++) gradient[k] = out[1 + k];
  return f;
}
