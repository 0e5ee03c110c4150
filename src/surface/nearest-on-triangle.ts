/**
 * Finds the point of a triangle that is nearest to another point, by the regions of the triangle's plane: o + s u + t v, where the
 * triangle has the corners o, o + u and o + v. One without an area is taken for its sides.
 * @param px the point less o: px, py, pz.
 * @param out f64[2]: s and t.
 * @see Ericson 2005, Real-Time Collision Detection, 5.1.5
 */
export function nearestOnTriangle(
  px: number,
  py: number,
  pz: number,
  ux: number,
  uy: number,
  uz: number,
  vx: number,
  vy: number,
  vz: number,
  out: Float64Array,
): void {
  const uu = ux * ux + uy * uy + uz * uz;
  const uv = ux * vx + uy * vy + uz * vz;
  const vv = vx * vx + vy * vy + vz * vz;
  const up = ux * px + uy * py + uz * pz;
  const vp = vx * px + vy * py + vz * pz;
  const det = uu * vv - uv * uv;
  let s = vv * up - uv * vp;
  let t = uu * vp - uv * up;
  if (det > 0 && s >= 0 && t >= 0 && s + t <= det) {
    s /= det;
    t /= det;
  } else {
    // On a side: the nearest of the three.
    const su = uu > 0 ? Math.min(1, Math.max(0, up / uu)) : 0;
    const tv = vv > 0 ? Math.min(1, Math.max(0, vp / vv)) : 0;
    const ww = uu - 2 * uv + vv;
    const w = ww > 0 ? Math.min(1, Math.max(0, (vp - up + uu - uv) / ww)) : 0;
    const du = su * (su * uu - 2 * up);
    const dv = tv * (tv * vv - 2 * vp);
    const dw = (1 - w) * ((1 - w) * uu + 2 * (w * uv - up)) + w * (w * vv - 2 * vp);
    s = du <= dv && du <= dw ? su : dv <= dw ? 0 : 1 - w;
    t = du <= dv && du <= dw ? 0 : dv <= dw ? tv : w;
  }
  out[0] = s;
  out[1] = t;
}
