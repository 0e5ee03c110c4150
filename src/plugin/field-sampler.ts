import type { CpuField, FieldAsset, Vec3 } from '../index.ts';
import { createCpuField, NsdfArgumentError } from '../index.ts';
import { smallestStretch } from './smallest-stretch.ts';

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
export interface WorldTransform {
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
