const MAX_SWEEPS = 12;

/**
 * Largest distance of points from the plane that fits them best in the least-squares sense (through their mean,
 * orthogonal to the direction in which they spread least); 0 for fewer than four points.
 * @param x of n points, as y and z are.
 */
export function distanceFromBestPlane(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  z: ArrayLike<number>,
  n: number,
): number {
  if (n < 4) return 0;
  const mean = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    mean[0] += x[i] / n;
    mean[1] += y[i] / n;
    mean[2] += z[i] / n;
  }
  const normal = leastSpread(covariance(x, y, z, n, mean));
  let most = 0;
  for (let i = 0; i < n; i++) {
    const off = normal[0] * (x[i] - mean[0]) + normal[1] * (y[i] - mean[1]) + normal[2] * (z[i] - mean[2]);
    most = Math.max(most, Math.abs(off));
  }
  return most;
}

/** Σ (p - mean)(p - mean)ᵀ, row-major. */
function covariance(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  z: ArrayLike<number>,
  n: number,
  mean: readonly number[],
): number[] {
  const c = new Array<number>(9).fill(0);
  for (let i = 0; i < n; i++) {
    const d = [x[i] - mean[0], y[i] - mean[1], z[i] - mean[2]];
    for (let k = 0; k < 9; k++) c[k] += d[Math.floor(k / 3)] * d[k % 3];
  }
  return c;
}

/** Unit eigenvector of the least eigenvalue of a symmetric 3x3 matrix (overwritten), by cyclic Jacobi rotations. */
function leastSpread(a: number[]): [number, number, number] {
  const v = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    const off = Math.abs(a[1]) + Math.abs(a[2]) + Math.abs(a[5]);
    if (off <= 1e-16 * (Math.abs(a[0]) + Math.abs(a[4]) + Math.abs(a[8]))) break;
    rotate(a, v, 0, 1);
    rotate(a, v, 0, 2);
    rotate(a, v, 1, 2);
  }
  let least = 0;
  for (let k = 1; k < 3; k++) if (a[k * 4] < a[least * 4]) least = k;
  return [v[least], v[3 + least], v[6 + least]];
}

/** Turns the plane of axes p and q so that a_pq vanishes; the columns of v turn along. */
function rotate(a: number[], v: number[], p: number, q: number): void {
  const apq = a[p * 3 + q];
  if (apq === 0) return;
  const theta = (a[q * 4] - a[p * 4]) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cos = 1 / Math.sqrt(t * t + 1);
  const sin = t * cos;
  for (let k = 0; k < 3; k++) turn(a, k * 3 + p, k * 3 + q, cos, sin);
  for (let k = 0; k < 3; k++) turn(a, p * 3 + k, q * 3 + k, cos, sin);
  for (let k = 0; k < 3; k++) turn(v, k * 3 + p, k * 3 + q, cos, sin);
}

function turn(m: number[], i: number, j: number, cos: number, sin: number): void {
  const [x, y] = [m[i], m[j]];
  m[i] = cos * x - sin * y;
  m[j] = sin * x + cos * y;
}
