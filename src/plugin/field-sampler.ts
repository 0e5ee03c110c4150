import { type CpuField, createCpuField, type FieldAsset, NsdfArgumentError, type Vec3 } from '../index.ts';

/** Values of a field at n points. */
export interface FieldSamples {
  /** f32[n], negative inside. */
  readonly distances: Float32Array;
  /** f32[n*3], pointing outwards, of about unit length where the field is a true distance. */
  readonly gradients: Float32Array;
}

/** Arrays to write to instead of new ones; longer ones are filled from the front. */
export interface SampleTarget {
  readonly distances?: Float32Array;
  readonly gradients?: Float32Array;
}

/**
 * A transform and its inverse, sixteen elements each, column-major with the translation in 12 to 14: the layout of
 * three's `Matrix4.elements` and of Babylon's `Matrix.m` alike.
 */
interface WorldTransform {
  readonly toWorld: ArrayLike<number>;
  readonly toLocal: ArrayLike<number>;
  /** Added after `toLocal`, where that leads to a mesh's own space: its `SurfaceMesh.origin`. */
  readonly origin?: Vec3 | undefined;
}

/** A field's values on the CPU; what evaluating needs is set up at the first call and shared by all clones. */
export class FieldSampler {
  readonly asset: FieldAsset;
  private _field: CpuField | null = null;

  constructor(asset: FieldAsset) {
    this.asset = asset;
  }

  /** Evaluates at points of the asset's local space; see the plugins' `sample`. */
  sample(points: ArrayLike<number>, out: SampleTarget): FieldSamples {
    const nPoints = countPoints(points);
    const samples = prepare(out, nPoints);
    this._evaluate(Float64Array.from(points), nPoints, samples);
    return samples;
  }

  /** Evaluates at points of the world; see the plugins' `sampleWorld`. */
  sampleWorld(
    points: ArrayLike<number>,
    { toWorld, toLocal, origin = [0, 0, 0] }: WorldTransform,
    out: SampleTarget,
  ): FieldSamples {
    const nPoints = countPoints(points);
    const samples = prepare(out, nPoints);
    const pointsLocal = transformPoints(points, toLocal).map((x, i) => x + origin[i % 3]);
    this._evaluate(pointsLocal, nPoints, samples);
    scaleToWorld(samples, nPoints, toLocal, smallestStretch(toWorld));
    return samples;
  }

  private _evaluate(pointsLocal: Float64Array, nPoints: number, samples: FieldSamples): void {
    this._field ??= createCpuField(this.asset);
    this._field.evaluateWithGradient(pointsLocal, samples.distances, samples.gradients, nPoints);
  }
}

function countPoints(points: ArrayLike<number>): number {
  if (points.length % 3 === 0) return points.length / 3;
  throw new NsdfArgumentError('points', `points has ${points.length} numbers, expected three per point`);
}

function prepare(out: SampleTarget, nPoints: number): FieldSamples {
  const distances = out.distances ?? new Float32Array(nPoints);
  const gradients = out.gradients ?? new Float32Array(nPoints * 3);
  if (distances.length < nPoints || gradients.length < nPoints * 3) {
    throw new NsdfArgumentError(
      'out',
      `out holds ${distances.length} distances and ${gradients.length / 3} gradients, ${nPoints} points need more`,
    );
  }
  return { distances, gradients };
}

function transformPoints(points: ArrayLike<number>, m: ArrayLike<number>): Float64Array {
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = [points[i], points[i + 1], points[i + 2]];
    out[i] = m[0] * x + m[4] * y + m[8] * z + m[12];
    out[i + 1] = m[1] * x + m[5] * y + m[9] * z + m[13];
    out[i + 2] = m[2] * x + m[6] * y + m[10] * z + m[14];
  }
  return out;
}

/** With w(x) = s f(Ax + b), the gradient is s Aᵀ ∇f. */
function scaleToWorld(samples: FieldSamples, nPoints: number, m: ArrayLike<number>, stretch: number): void {
  const { distances, gradients } = samples;
  for (let p = 0; p < nPoints; p++) {
    const i = p * 3;
    const [x, y, z] = [gradients[i], gradients[i + 1], gradients[i + 2]];
    distances[p] *= stretch;
    gradients[i] = stretch * (m[0] * x + m[1] * y + m[2] * z);
    gradients[i + 1] = stretch * (m[4] * x + m[5] * y + m[6] * z);
    gradients[i + 2] = stretch * (m[8] * x + m[9] * y + m[10] * z);
  }
}

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
