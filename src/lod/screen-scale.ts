/** One eye that looks at the scene: a camera, or one of an XR session's views. Matrices are 16 numbers, column-major. */
export interface Eye {
  /** World to view; any handedness. Without scale. */
  readonly viewMatrix: ArrayLike<number>;
  /** Perspective or orthographic; zoom and view offsets are in it. */
  readonly projectionMatrix: ArrayLike<number>;
  /** Distance of the near plane, world units. */
  readonly near: number;
  /** Height of what is drawn, in physical pixels. */
  readonly viewportHeight: number;
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

/**
 * Measures how large an object's local unit is on screen, from the point of its bounds that is nearest to the eye:
 * nothing of it is shown larger. Of bounding sphere and box whichever is farther from the eye decides, so that an
 * elongated object beside the eye is not taken for one around it. Allocates nothing.
 *
 * In perspective a shift by d at distance r and angle θ off the axis moves a point by at most f d / (r cos² θ) pixels;
 * θ is taken at the object's centre, and no larger than in the view's corner.
 * @param worldMatrix local to world; where axes are scaled differently the largest stretch counts.
 */
export function measureOnScreen(
  eye: Eye,
  worldMatrix: ArrayLike<number>,
  bounds: LocalBounds,
  out: ScreenScale,
): ScreenScale {
  const v = eye.viewMatrix;
  const w = worldMatrix;
  const p = eye.projectionMatrix;
  // Columns a, b, c and origin t of local to view.
  const ax = v[0] * w[0] + v[4] * w[1] + v[8] * w[2];
  const ay = v[1] * w[0] + v[5] * w[1] + v[9] * w[2];
  const az = v[2] * w[0] + v[6] * w[1] + v[10] * w[2];
  const bx = v[0] * w[4] + v[4] * w[5] + v[8] * w[6];
  const by = v[1] * w[4] + v[5] * w[5] + v[9] * w[6];
  const bz = v[2] * w[4] + v[6] * w[5] + v[10] * w[6];
  const cx = v[0] * w[8] + v[4] * w[9] + v[8] * w[10];
  const cy = v[1] * w[8] + v[5] * w[9] + v[9] * w[10];
  const cz = v[2] * w[8] + v[6] * w[9] + v[10] * w[10];
  const tx = v[0] * w[12] + v[4] * w[13] + v[8] * w[14] + v[12];
  const ty = v[1] * w[12] + v[5] * w[13] + v[9] * w[14] + v[13];
  const tz = v[2] * w[12] + v[6] * w[13] + v[10] * w[14] + v[14];
  const la = Math.sqrt(ax * ax + ay * ay + az * az);
  const lb = Math.sqrt(bx * bx + by * by + bz * bz);
  const lc = Math.sqrt(cx * cx + cy * cy + cz * cz);
  const stretch = Math.max(la, lb, lc);
  const hx = (bounds[3] - bounds[0]) / 2;
  const hy = (bounds[4] - bounds[1]) / 2;
  const hz = (bounds[5] - bounds[2]) / 2;
  const mx = bounds[0] + hx;
  const my = bounds[1] + hy;
  const mz = bounds[2] + hz;
  const x = ax * mx + bx * my + cx * mz + tx;
  const y = ay * mx + by * my + cy * mz + ty;
  const z = az * mx + bz * my + cz * mz + tz;
  const radius = stretch * Math.sqrt(hx * hx + hy * hy + hz * hz);
  const focal = (Math.sqrt(p[1] * p[1] + p[5] * p[5]) * eye.viewportHeight) / 2;
  out.isInView = radius >= 0 && isSphereInView(p, x, y, z, radius);
  let scale = focal;
  if (p[3] !== 0 || p[7] !== 0 || p[11] !== 0) {
    // The eye in local coordinates, by Cramer's rule.
    const nx = by * cz - bz * cy;
    const ny = bz * cx - bx * cz;
    const nz = bx * cy - by * cx;
    const det = ax * nx + ay * ny + az * nz;
    const ex = -(tx * nx + ty * ny + tz * nz) / det;
    const ey = -(tx * (cy * az - cz * ay) + ty * (cz * ax - cx * az) + tz * (cx * ay - cy * ax)) / det;
    const ez = -(tx * (ay * bz - az * by) + ty * (az * bx - ax * bz) + tz * (ax * by - ay * bx)) / det;
    const gx = Math.max(0, Math.abs(ex - mx) - hx);
    const gy = Math.max(0, Math.abs(ey - my) - hy);
    const gz = Math.max(0, Math.abs(ez - mz) - hz);
    const toBox = Math.min(la, lb, lc) * Math.sqrt(gx * gx + gy * gy + gz * gz);
    const toSphere = Math.sqrt(x * x + y * y + z * z) - radius;
    // A flattened object (det 0) has no inside: its sphere decides.
    const distance = Math.max(eye.near, toSphere, toBox >= 0 && toBox < Number.POSITIVE_INFINITY ? toBox : 0);
    scale = (focal / distance) * offAxisStretch(p, x, y, z);
  }
  out.pixelsPerUnit = scale * stretch;
  out.diameter = Math.min(2 * radius * scale, MAX_DIAMETER_HEIGHTS * eye.viewportHeight);
  return out;
}

/** 1 / cos² of the angle between the view's axis and a point, no larger than in the corner of the view. */
function offAxisStretch(p: ArrayLike<number>, x: number, y: number, z: number): number {
  const corner = 1 / (p[0] * p[0]) + 1 / (p[5] * p[5]);
  const depth = p[3] * x + p[7] * y + p[11] * z;
  const tangent2 = depth > 0 ? (x * x + y * y) / (z * z) : corner;
  return 1 + Math.min(tangent2, corner);
}

/**
 * Against the four sides of the view, and in perspective against the eye's own plane: near and far planes differ between
 * engines (0..w, -w..w, reversed) and decide nothing here.
 */
function isSphereInView(p: ArrayLike<number>, x: number, y: number, z: number, radius: number): boolean {
  const depth = p[3] * x + p[7] * y + p[11] * z + p[15];
  if (depth < -radius * Math.sqrt(p[3] * p[3] + p[7] * p[7] + p[11] * p[11])) return false;
  for (let axis = 0; axis < 2; axis++) {
    const side = p[axis] * x + p[4 + axis] * y + p[8 + axis] * z + p[12 + axis];
    for (let sign = -1; sign <= 1; sign += 2) {
      const nx = p[3] + sign * p[axis];
      const ny = p[7] + sign * p[4 + axis];
      const nz = p[11] + sign * p[8 + axis];
      if (depth + sign * side < -radius * Math.sqrt(nx * nx + ny * ny + nz * nz)) return false;
    }
  }
  return true;
}
