import { cellOffsets } from '../field/hash-grid.ts';
import type { TrainableField, TrainableLayer } from './trainable-field.ts';

/** Numbers a sample: position, distance, unit normal (zeros where there is none), all in [-1, 1]³. */
export const SAMPLE_STRIDE = 7;

/** What is asked of a field besides its distances. */
export interface LossWeights {
  /** |∇f - n|² / 2 where a sample has a normal and lies within `normalReach`. */
  readonly normal: number;
  /** (|∇f| - 1)² / 2 at the same samples and at those without a normal. */
  readonly eikonal: number;
  /** f_xy² + f_xz² + f_yz², halved, within `curvatureReach`: what keeps a box from being planar. */
  readonly curvature: number;
}

/** Measured: 4.73e-4 without normals, 4.34e-4 at 0.02; 0.05 wrecks a slab of 0.03. 3e-6 of curvature: 19.0k vertices at 4.2e-4 where 1e-6 has 20.9k at 4.1e-4. */
export const LOSS_WEIGHT_DEFAULTS: LossWeights = { normal: 0.02, eikonal: 0, curvature: 3e-6 };

export const NORMAL_REACH = 0.1;
export const CURVATURE_REACH = 0.03;
/** A distance of this much is fitted half as hard as the surface itself. */
export const DISTANCE_SCALE = 0.01;
/** From here on, a field that has less than this share of the distance, or the other sign, is pulled at full strength. */
export const FAR = 0.01;
export const FAR_SHARE = 0.3;

/**
 * Gradients of the loss with respect to the parameters, sample by sample.
 *
 * Let v = ∂f/∂φ be the slopes of f by the encoder's features φ, so that ∇f = Σ v_k ∇φ_k. A term in ∇f, or in the mixed second
 * derivatives of f inside a cell (those of φ alone: the network is piecewise linear), has the gradient of D f, the derivative of f
 * along a direction φ' in feature space that is held fixed: φ' = Σ r·∇φ for a residual r. Value and derivative share
 * the masks of the ReLUs and the backward slopes δ, so that one backward pass, one tangent pass and one outer
 * product δ ⊗ (g h + h') do for all terms together.
 */
export class GradientKernel {
  readonly field: TrainableField;
  /** f32 as the table; only entries in `touched` are not zero. */
  readonly tableGradient: Float32Array;
  readonly mlpGradient: Float64Array;
  /** Entries that have a gradient, in the order in which they were met. */
  readonly touched: Uint32Array;
  nTouched = 0;
  /** Sums over the samples since the last `clear`: |f - d| near the surface, and their number. */
  errorSum = 0;
  nErrors = 0;
  private readonly isTouched: Uint8Array;
  private readonly weights: LossWeights;
  private readonly offsets = new Int32Array(8);
  private readonly cells: Int32Array;
  private readonly fractions: Float64Array;
  /** Per feature: value, gradient, mixed second derivatives; in [-1, 1]³. */
  private readonly features: Float64Array;
  /** Activations of every layer, the features first; tangents likewise. */
  private readonly values: Float64Array[];
  private readonly tangents: Float64Array[];
  /** Slopes of f by the pre-activations of every layer, by the features first. */
  private readonly slopes: Float64Array[];

  constructor(field: TrainableField, weights: LossWeights = LOSS_WEIGHT_DEFAULTS) {
    this.field = field;
    this.weights = weights;
    const nEntries = field.entriesAt[field.levels.length];
    this.tableGradient = new Float32Array(field.table.length);
    this.mlpGradient = new Float64Array(field.mlp.length);
    this.isTouched = new Uint8Array(nEntries);
    this.touched = new Uint32Array(nEntries);
    this.cells = new Int32Array(field.levels.length * 8);
    this.fractions = new Float64Array(field.levels.length * 3);
    const widths = [field.layers[0].nIn, ...field.layers.map(({ nOut }) => nOut)];
    this.features = new Float64Array(widths[0] * 7);
    this.values = widths.map((n) => new Float64Array(n));
    this.tangents = widths.map((n) => new Float64Array(n));
    this.slopes = widths.map((n) => new Float64Array(n));
    this.slopes[widths.length - 1][0] = 1;
  }

  /** Forgets all gradients. */
  clear(): void {
    const F = this.field.shape.nFeaturesPerLevel;
    for (let i = 0; i < this.nTouched; i++) {
      const entry = this.touched[i];
      this.isTouched[entry] = 0;
      for (let j = 0; j < F; j++) this.tableGradient[entry * F + j] = 0;
    }
    this.nTouched = 0;
    this.mlpGradient.fill(0);
    this.errorSum = 0;
    this.nErrors = 0;
  }

  /** Notes that an entry has a gradient. */
  touch(entry: number): void {
    if (this.isTouched[entry] !== 0) return;
    this.isTouched[entry] = 1;
    this.touched[this.nTouched++] = entry;
  }

  /** @param samples f64[n * SAMPLE_STRIDE], in the open cube (-1, 1)³. */
  accumulate(samples: Float64Array, n: number): void {
    for (let i = 0; i < n * SAMPLE_STRIDE; i += SAMPLE_STRIDE) this.addSample(samples, i);
  }

  /** Slopes of f by the features at a point; overwritten by the next call of anything. */
  featureSlopes(x: number, y: number, z: number): Float64Array {
    this.encode(x, y, z);
    this.forward();
    this.backward();
    return this.slopes[0];
  }

  private addSample(samples: Float64Array, i: number): void {
    const { weights, features } = this;
    const distance = samples[i + 3];
    this.encode(samples[i], samples[i + 1], samples[i + 2]);
    const f = this.forward();
    this.backward();
    const reach = Math.abs(distance);
    const error = f - distance;
    if (reach < DISTANCE_SCALE) {
      this.errorSum += Math.abs(error);
      this.nErrors++;
    }
    let slope = ((error < 0 ? -1 : 1) * DISTANCE_SCALE) / (reach + DISTANCE_SCALE);
    if (reach > FAR && (distance < 0 ? -f : f) < FAR_SHARE * reach) slope = distance < 0 ? 1 : -1;
    let rx = 0;
    let ry = 0;
    let rz = 0;
    let rxy = 0;
    let rxz = 0;
    let ryz = 0;
    const v = this.slopes[0];
    const hasNormal = samples[i + 4] !== 0 || samples[i + 5] !== 0 || samples[i + 6] !== 0;
    const isCurved = weights.curvature > 0 && reach < CURVATURE_REACH;
    const isSloped = (hasNormal && reach < NORMAL_REACH) || weights.eikonal > 0;
    if (isSloped || isCurved) {
      let gx = 0;
      let gy = 0;
      let gz = 0;
      for (let k = 0, o = 0; k < v.length; k++, o += 7) {
        const vk = v[k];
        gx += vk * features[o + 1];
        gy += vk * features[o + 2];
        gz += vk * features[o + 3];
        rxy += vk * features[o + 4];
        rxz += vk * features[o + 5];
        ryz += vk * features[o + 6];
      }
      if (hasNormal && reach < NORMAL_REACH) {
        rx = weights.normal * (gx - samples[i + 4]);
        ry = weights.normal * (gy - samples[i + 5]);
        rz = weights.normal * (gz - samples[i + 6]);
      }
      if (weights.eikonal > 0) {
        const norm = Math.sqrt(gx * gx + gy * gy + gz * gz);
        const pull = norm > 0 ? (weights.eikonal * (norm - 1)) / norm : 0;
        rx += pull * gx;
        ry += pull * gy;
        rz += pull * gz;
      }
      const curvature = isCurved ? weights.curvature : 0;
      rxy *= curvature;
      rxz *= curvature;
      ryz *= curvature;
      this.tangent(rx, ry, rz, rxy, rxz, ryz);
    } else for (const tangent of this.tangents) tangent.fill(0);
    this.addLayers(slope);
    this.addTables(slope, rx, ry, rz, rxy, rxz, ryz);
  }

  /** Features, their gradients and their mixed second derivatives inside the cell. */
  private encode(x: number, y: number, z: number): void {
    const { field, cells, fractions, features, offsets, values } = this;
    const { levels } = field;
    const F = field.shape.nFeaturesPerLevel;
    const inputs = values[0];
    for (let l = 0, k = 0; l < levels.length; l++) {
      const level = levels[l];
      const { scale, offset, params } = level;
      const px = 0.5 * (x + 1) * scale + offset;
      const py = 0.5 * (y + 1) * scale + offset;
      const pz = 0.5 * (z + 1) * scale + offset;
      const cx = Math.floor(px);
      const cy = Math.floor(py);
      const cz = Math.floor(pz);
      const fx = px - cx;
      const fy = py - cy;
      const fz = pz - cz;
      fractions[l * 3] = fx;
      fractions[l * 3 + 1] = fy;
      fractions[l * 3 + 2] = fz;
      cellOffsets(level, F, cx | 0, cy | 0, cz | 0, offsets);
      for (let c = 0; c < 8; c++) cells[l * 8 + c] = offsets[c];
      const s = 0.5 * scale;
      const ss = s * s;
      for (let j = 0; j < F; j++, k++) {
        const a0 = params[offsets[0] + j];
        const a1 = params[offsets[1] + j];
        const a2 = params[offsets[2] + j];
        const a4 = params[offsets[4] + j];
        const a5 = params[offsets[5] + j];
        const ax = a1 - a0;
        const ay = a2 - a0;
        const az = a4 - a0;
        const axy = params[offsets[3] + j] - a2 - ax;
        const axz = a5 - a4 - ax;
        const ayz = params[offsets[6] + j] - a4 - ay;
        const axyz = params[offsets[7] + j] - params[offsets[6] + j] - (a5 - a4) - axy;
        const xy = axy + axyz * fz;
        const xz = axz + axyz * fy;
        const yz = ayz + axyz * fx;
        const dx = ax + axy * fy + xz * fz;
        const o = k * 7;
        inputs[k] = a0 + ay * fy + az * fz + ayz * fy * fz + dx * fx;
        features[o + 1] = s * dx;
        features[o + 2] = s * (ay + axy * fx + yz * fz);
        features[o + 3] = s * (az + xz * fx + ayz * fy);
        features[o + 4] = ss * xy;
        features[o + 5] = ss * xz;
        features[o + 6] = ss * yz;
      }
    }
  }

  private forward(): number {
    const { values, field } = this;
    const { layers, mlp } = field;
    const last = layers.length - 1;
    for (let l = 0; l <= last; l++) {
      const out = values[l + 1];
      applyRows(layers[l], mlp, values[l], out);
      const { biasAt, nOut } = layers[l];
      for (let row = 0; row < nOut; row++) {
        const z = out[row] + mlp[biasAt + row];
        out[row] = l === last || z > 0 ? z : 0;
      }
    }
    return values[last + 1][0];
  }

  private backward(): void {
    const { slopes, values, field } = this;
    const { layers, mlp } = field;
    for (let l = layers.length - 1; l >= 0; l--) {
      const { nIn, nOut, weightsAt } = layers[l];
      const from = slopes[l + 1];
      const to = slopes[l];
      to.fill(0);
      for (let row = 0, w = weightsAt; row < nOut; row++, w += nIn) {
        const slope = from[row];
        if (slope === 0) continue;
        for (let i = 0; i < nIn; i++) to[i] += slope * mlp[w + i];
      }
      if (l === 0) break;
      const inputs = values[l];
      for (let i = 0; i < nIn; i++) if (inputs[i] === 0) to[i] = 0;
    }
  }

  private tangent(rx: number, ry: number, rz: number, rxy: number, rxz: number, ryz: number): void {
    const { tangents, features, values, field } = this;
    const first = tangents[0];
    for (let k = 0, o = 0; k < first.length; k++, o += 7) {
      first[k] =
        rx * features[o + 1] +
        ry * features[o + 2] +
        rz * features[o + 3] +
        rxy * features[o + 4] +
        rxz * features[o + 5] +
        ryz * features[o + 6];
    }
    const { layers, mlp } = field;
    for (let l = 0; l + 1 < layers.length; l++) {
      applyRows(layers[l], mlp, tangents[l], tangents[l + 1]);
      const mask = values[l + 1];
      const out = tangents[l + 1];
      for (let i = 0; i < out.length; i++) if (mask[i] === 0) out[i] = 0;
    }
  }

  /** δ ⊗ (slope h + h') for every layer. */
  private addLayers(slope: number): void {
    const { slopes, values, tangents, mlpGradient } = this;
    const { layers } = this.field;
    for (let l = 0; l < layers.length; l++) {
      const { nIn, nOut, weightsAt, biasAt } = layers[l];
      const inputs = values[l];
      const tangent = tangents[l];
      for (let i = 0; i < nIn; i++) tangent[i] += slope * inputs[i];
      const delta = slopes[l + 1];
      for (let row = 0, w = weightsAt; row < nOut; row++, w += nIn) {
        const d = delta[row];
        if (d === 0) continue;
        for (let i = 0; i < nIn; i++) mlpGradient[w + i] += d * tangent[i];
        mlpGradient[biasAt + row] += d * slope;
      }
    }
  }

  /** To every corner of every cell: v_k times the corner's share of value, gradient and mixed derivatives. */
  private addTables(
    slope: number,
    rx: number,
    ry: number,
    rz: number,
    rxy: number,
    rxz: number,
    ryz: number,
  ): void {
    const { field, cells, fractions, tableGradient } = this;
    const { levels, entriesAt } = field;
    const F = field.shape.nFeaturesPerLevel;
    const v = this.slopes[0];
    for (let l = 0; l < levels.length; l++) {
      const s = 0.5 * levels[l].scale;
      const fx = fractions[l * 3];
      const base = entriesAt[l] * F;
      for (let pair = 0; pair < 4; pair++) {
        const isUpY = (pair & 1) === 1;
        const isUpZ = pair >= 2;
        const wy = isUpY ? fractions[l * 3 + 1] : 1 - fractions[l * 3 + 1];
        const wz = isUpZ ? fractions[l * 3 + 2] : 1 - fractions[l * 3 + 2];
        const dy = isUpY ? s : -s;
        const dz = isUpZ ? s : -s;
        const a = slope * wy * wz + ry * dy * wz + rz * wy * dz + ryz * dy * dz;
        const b = s * (rx * wy * wz + rxy * dy * wz + rxz * wy * dz);
        for (let up = 0; up < 2; up++) {
          const share = up === 0 ? (1 - fx) * a - b : fx * a + b;
          const at = base + cells[l * 8 + pair * 2 + up];
          this.touch(at / F);
          for (let j = 0; j < F; j++) tableGradient[at + j] += share * v[l * F + j];
        }
      }
    }
  }
}

/** out = W in. Four rows at a time: their sums do not wait for each other. */
function applyRows(
  { nIn, nOut, weightsAt }: TrainableLayer,
  mlp: Float64Array,
  inputs: Float64Array,
  out: Float64Array,
): void {
  let row = 0;
  let w = weightsAt;
  for (; row + 3 < nOut; row += 4, w += 4 * nIn) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    const wb = w + nIn;
    const wc = wb + nIn;
    const wd = wc + nIn;
    for (let i = 0; i < nIn; i++) {
      const x = inputs[i];
      a += x * mlp[w + i];
      b += x * mlp[wb + i];
      c += x * mlp[wc + i];
      d += x * mlp[wd + i];
    }
    out[row] = a;
    out[row + 1] = b;
    out[row + 2] = c;
    out[row + 3] = d;
  }
  for (; row < nOut; row++, w += nIn) {
    let sum = 0;
    for (let i = 0; i < nIn; i++) sum += inputs[i] * mlp[w + i];
    out[row] = sum;
  }
}
