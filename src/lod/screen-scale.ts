/** One eye that looks at the scene: a camera, or one of an XR session's views. Matrices are 16 numbers, column-major. */
export interface Eye {
  /** World to view; any handedness. */
  readonly viewMatrix: ArrayLike<number>;
  /**
   * Perspective or orthographic; zoom and view offsets are in it. Only its product with `viewMatrix` counts: all of it may
   * be in one of the two, as map layers have it.
   */
  readonly projectionMatrix: ArrayLike<number>;
  /** Distance of the near plane, world units; 0 where it is not known. */
  readonly near: number;
  /** Height of what is drawn, in physical pixels. */
  readonly viewportHeight: number;
  /** Width of it; default: as the product has it, for square pixels and a world whose axes are not scaled differently. */
  readonly viewportWidth?: number | undefined;
}

/** An object's box in its own units, as six numbers: what may be asked 200 times a frame holds no objects. */
export type LocalBounds = readonly [number, number, number, number, number, number];

/** What an eye sees of an object. */
export interface ScreenScale {
  /** Most pixels that a local unit can cover anywhere on the object. */
  pixelsPerUnit: number;
  /** Diameter of the object's bounding sphere on screen, in pixels, at most four viewport heights. */
  diameter: number;
  /** False where the object lies beside or behind the view. */
  isInView: boolean;
}

/** Nearer objects all count as filling the view. */
const MAX_DIAMETER_HEIGHTS = 4;
/** Of |∇y|: a w that changes less is rounding, and the view parallel. */
const PARALLEL = 1e-9;
/** A box whose depths differ by less than this share has one depth. */
const ONE_DEPTH = 1e-3;

/**
 * Measures how large an object's local unit is on screen, where it is largest on the part of its box that is in view.
 * Allocates nothing, and looks at the product of the matrices alone.
 *
 * With the rows x, y and w of that product, and s = (x W / w, y H / w) / 2 in pixels, a shift by d at a point moves it by
 * J d, J = ½ [W (∇x - n_x ∇w); H (∇y - n_y ∇w)] / w with n = (x, y) / w. J's largest singular value times w is convex in
 * n, hence largest at a corner of the rectangle of n that the box covers. w is no less than at the box's nearest corner,
 * and no less than the distance from the eye (where x = y = w = 0) to the box, times the least growth of w along a ray
 * into that rectangle: so an elongated object beside the eye is not taken for one around it. The growth along the ray of n
 * is 1 / |A⁻¹(n, 1)|, A having the rows' gradients, and is least at a corner, too.
 * @param worldMatrix local to world.
 */
export function measureOnScreen(
  eye: Eye,
  worldMatrix: ArrayLike<number>,
  bounds: LocalBounds,
  out: ScreenScale,
): ScreenScale {
  const v = eye.viewMatrix;
  const m = worldMatrix;
  const p = eye.projectionMatrix;
  const height = eye.viewportHeight;
  const width = eye.viewportWidth ?? height * aspectOf(p, v);
  // Rows x, y, w of world to clip, then of local to clip.
  const u0 = rowAt(p, v, 0, 0);
  const u1 = rowAt(p, v, 0, 1);
  const u2 = rowAt(p, v, 0, 2);
  const u3 = rowAt(p, v, 0, 3);
  const v0 = rowAt(p, v, 1, 0);
  const v1 = rowAt(p, v, 1, 1);
  const v2 = rowAt(p, v, 1, 2);
  const v3 = rowAt(p, v, 1, 3);
  const w0 = rowAt(p, v, 3, 0);
  const w1 = rowAt(p, v, 3, 1);
  const w2 = rowAt(p, v, 3, 2);
  const w3 = rowAt(p, v, 3, 3);
  const xa = u0 * m[0] + u1 * m[1] + u2 * m[2];
  const xb = u0 * m[4] + u1 * m[5] + u2 * m[6];
  const xc = u0 * m[8] + u1 * m[9] + u2 * m[10];
  const xt = u0 * m[12] + u1 * m[13] + u2 * m[14] + u3;
  const ya = v0 * m[0] + v1 * m[1] + v2 * m[2];
  const yb = v0 * m[4] + v1 * m[5] + v2 * m[6];
  const yc = v0 * m[8] + v1 * m[9] + v2 * m[10];
  const yt = v0 * m[12] + v1 * m[13] + v2 * m[14] + v3;
  const wa = w0 * m[0] + w1 * m[1] + w2 * m[2];
  const wb = w0 * m[4] + w1 * m[5] + w2 * m[6];
  const wc = w0 * m[8] + w1 * m[9] + w2 * m[10];
  const wt = w0 * m[12] + w1 * m[13] + w2 * m[14] + w3;

  const hx = (bounds[3] - bounds[0]) / 2;
  const hy = (bounds[4] - bounds[1]) / 2;
  const hz = (bounds[5] - bounds[2]) / 2;
  const mx = bounds[0] + hx;
  const my = bounds[1] + hy;
  const mz = bounds[2] + hz;
  const x = xa * mx + xb * my + xc * mz + xt;
  const y = ya * mx + yb * my + yc * mz + yt;
  const w = wa * mx + wb * my + wc * mz + wt;
  const wReach = reach(wa, wb, wc, hx, hy, hz);
  // Near and far planes differ between engines (0..w, -w..w, reversed) and decide nothing here.
  out.isInView =
    hx >= 0 &&
    w >= -wReach &&
    w + x >= -reach(wa + xa, wb + xb, wc + xc, hx, hy, hz) &&
    w - x >= -reach(wa - xa, wb - xb, wc - xc, hx, hy, hz) &&
    w + y >= -reach(wa + ya, wb + yb, wc + yc, hx, hy, hz) &&
    w - y >= -reach(wa - ya, wb - yb, wc - yc, hx, hy, hz);

  const wLeast = w - wReach;
  let left = -1;
  let right = 1;
  let low = -1;
  let high = 1;
  if (wLeast > 0) {
    left = low = Number.POSITIVE_INFINITY;
    right = high = Number.NEGATIVE_INFINITY;
    for (let corner = 0; corner < 8; corner++) {
      const dx = corner & 1 ? hx : -hx;
      const dy = corner & 2 ? hy : -hy;
      const dz = corner & 4 ? hz : -hz;
      const depth = w + wa * dx + wb * dy + wc * dz;
      const nx = (x + xa * dx + xb * dy + xc * dz) / depth;
      const ny = (y + ya * dx + yb * dy + yc * dz) / depth;
      left = Math.min(left, nx);
      right = Math.max(right, nx);
      low = Math.min(low, ny);
      high = Math.max(high, ny);
    }
    left = clampToView(left);
    right = clampToView(right);
    low = clampToView(low);
    high = clampToView(high);
  }

  // A⁻¹'s columns without their denominator, and the eye.
  const ix = yb * wc - yc * wb;
  const iy = yc * wa - ya * wc;
  const iz = ya * wb - yb * wa;
  const jx = wb * xc - wc * xb;
  const jy = wc * xa - wa * xc;
  const jz = wa * xb - wb * xa;
  const kx = xb * yc - xc * yb;
  const ky = xc * ya - xa * yc;
  const kz = xa * yb - xb * ya;
  const det = xa * ix + xb * iy + xc * iz;
  const ex = -(xt * ix + yt * jx + wt * kx) / det;
  const ey = -(xt * iy + yt * jy + wt * ky) / det;
  const ez = -(xt * iz + yt * jz + wt * kz) / det;
  const gx = Math.max(0, Math.abs(ex - mx) - hx);
  const gy = Math.max(0, Math.abs(ey - my) - hy);
  const gz = Math.max(0, Math.abs(ez - mz) - hz);
  const toBox = Math.sqrt(gx * gx + gy * gy + gz * gz) * Math.abs(det);

  let largest = 0;
  let longest = 0;
  for (let corner = 0; corner < 4; corner++) {
    const nx = corner & 1 ? right : left;
    const ny = corner & 2 ? high : low;
    const ra = width * (xa - nx * wa);
    const rb = width * (xb - nx * wb);
    const rc = width * (xc - nx * wc);
    const sa = height * (ya - ny * wa);
    const sb = height * (yb - ny * wb);
    const sc = height * (yc - ny * wc);
    const rr = ra * ra + rb * rb + rc * rc;
    const ss = sa * sa + sb * sb + sc * sc;
    const rs = ra * sa + rb * sb + rc * sc;
    largest = Math.max(largest, rr + ss + Math.sqrt((rr - ss) * (rr - ss) + 4 * rs * rs));
    const lx = nx * ix + ny * jx + kx;
    const ly = nx * iy + ny * jy + ky;
    const lz = nx * iz + ny * jz + kz;
    longest = Math.max(longest, lx * lx + ly * ly + lz * lz);
  }
  const nearest = Math.max(wLeast, eye.near * Math.sqrt(w0 * w0 + w1 * w1 + w2 * w2));
  // A parallel view has no eye, nor has a flattened object: there the box's nearest corner decides.
  const along = wReach > ONE_DEPTH * w && toBox > 0 && longest > 0 ? toBox / Math.sqrt(longest) : 0;
  out.pixelsPerUnit = Math.sqrt(largest / 8) / Math.max(nearest, along, 0);
  const diameter = 2 * Math.sqrt(hx * hx + hy * hy + hz * hz) * out.pixelsPerUnit;
  out.diameter = Math.min(diameter, MAX_DIAMETER_HEIGHTS * height);
  return out;
}

/** Element of the product of projection and view. */
function rowAt(p: ArrayLike<number>, v: ArrayLike<number>, row: number, column: number): number {
  const c = 4 * column;
  return p[row] * v[c] + p[4 + row] * v[c + 1] + p[8 + row] * v[c + 2] + p[12 + row] * v[c + 3];
}

/** Width by height of the view: how much faster y changes across the view's axis than x. */
function aspectOf(p: ArrayLike<number>, v: ArrayLike<number>): number {
  return acrossAxis(p, v, 1) / acrossAxis(p, v, 0);
}

/** Length of the gradient of a row of the product, its part along w's left out: that is an offset of the view. */
function acrossAxis(p: ArrayLike<number>, v: ArrayLike<number>, row: 0 | 1): number {
  const a = rowAt(p, v, row, 0);
  const b = rowAt(p, v, row, 1);
  const c = rowAt(p, v, row, 2);
  const w0 = rowAt(p, v, 3, 0);
  const w1 = rowAt(p, v, 3, 1);
  const w2 = rowAt(p, v, 3, 2);
  const length2 = a * a + b * b + c * c;
  const slope2 = w0 * w0 + w1 * w1 + w2 * w2;
  if (slope2 <= PARALLEL * PARALLEL * length2) return Math.sqrt(length2);
  const dot = a * w0 + b * w1 + c * w2;
  return Math.sqrt(Math.max(0, length2 - (dot * dot) / slope2));
}

/** How much a linear function with these slopes changes from a box's middle to its corners, at most. */
function reach(a: number, b: number, c: number, hx: number, hy: number, hz: number): number {
  return Math.abs(a) * hx + Math.abs(b) * hy + Math.abs(c) * hz;
}

function clampToView(n: number): number {
  return Math.min(1, Math.max(-1, n));
}
