/**
 * The least factor by which the linear part of a matrix stretches any vector: its smallest singular value.
 * @param e sixteen elements, column-major.
 */
export function smallestStretch(e: ArrayLike<number>): number {
  return singularValue(e, (2 * Math.PI) / 3);
}

/**
 * The greatest factor by which the linear part of a matrix stretches any vector: its largest singular value.
 * @param e sixteen elements, column-major.
 */
export function largestStretch(e: ArrayLike<number>): number {
  return singularValue(e, 0);
}

/** The root of an eigenvalue of MᵀM in closed form: trigonometric solution of the characteristic cubic, its branch by `phase`. */
function singularValue(e: ArrayLike<number>, phase: number): number {
  const a00 = e[0] * e[0] + e[1] * e[1] + e[2] * e[2];
  const a11 = e[4] * e[4] + e[5] * e[5] + e[6] * e[6];
  const a22 = e[8] * e[8] + e[9] * e[9] + e[10] * e[10];
  const a01 = e[0] * e[4] + e[1] * e[5] + e[2] * e[6];
  const a02 = e[0] * e[8] + e[1] * e[9] + e[2] * e[10];
  const a12 = e[4] * e[8] + e[5] * e[9] + e[6] * e[10];
  const mean = (a00 + a11 + a22) / 3;
  const [b00, b11, b22] = [a00 - mean, a11 - mean, a22 - mean];
  const offDiagonal = a01 * a01 + a02 * a02 + a12 * a12;
  const spread = Math.sqrt((b00 * b00 + b11 * b11 + b22 * b22 + 2 * offDiagonal) / 6);
  if (spread === 0) return Math.sqrt(mean);
  const determinant =
    b00 * (b11 * b22 - a12 * a12) - a01 * (a01 * b22 - a12 * a02) + a02 * (a01 * a12 - b11 * a02);
  const cosine = Math.min(1, Math.max(-1, determinant / (2 * spread ** 3)));
  const angle = Math.acos(cosine) / 3 + phase;
  return Math.sqrt(Math.max(0, mean + 2 * spread * Math.cos(angle)));
}
