import type { Box3 } from '../format/asset.ts';
import type { CheckField } from './check-field.ts';

/** Rounds of regula falsi after which a root is taken as it is; 8 are usual. */
const MAX_ROUNDS = 60;

/** Many rays at once, because a field is evaluated fastest in batches. */
export class RayBatch {
  /** f64[3n], local units. */
  readonly origins: Float64Array;
  /** f64[3n], unit length. */
  readonly directions: Float64Array;
  /** f64[n], the bracket's ends along each ray and f there. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly valueLow: Float64Array;
  readonly valueHigh: Float64Array;
  /** f64[n], the last root or probe along each ray. */
  readonly t: Float64Array;
  readonly #field: CheckField;
  readonly #points: Float64Array;
  readonly #values: Float64Array;

  constructor(field: CheckField, n: number) {
    this.#field = field;
    this.origins = new Float64Array(n * 3);
    this.directions = new Float64Array(n * 3);
    this.low = new Float64Array(n);
    this.high = new Float64Array(n);
    this.valueLow = new Float64Array(n);
    this.valueHigh = new Float64Array(n);
    this.t = new Float64Array(n);
    this.#points = new Float64Array(n * 3);
    this.#values = new Float64Array(n);
  }

  /** Writes origin + t direction of ray `id` to out[k..k+2]. */
  writePoint(id: number, out: Float64Array, k: number): void {
    const i = id * 3;
    const t = this.t[id];
    out[k] = this.origins[i] + t * this.directions[i];
    out[k + 1] = this.origins[i + 1] + t * this.directions[i + 1];
    out[k + 2] = this.origins[i + 2] + t * this.directions[i + 2];
  }

  /** f at `t` of the rays named; the result, f64[ids.length], is overwritten by the next call. */
  probe(ids: readonly number[]): Float64Array {
    for (let j = 0; j < ids.length; j++) this.writePoint(ids[j], this.#points, j * 3);
    this.#field.evaluate(this.#points, this.#values, ids.length);
    return this.#values;
  }

  /**
   * Finds roots between `low` and `high`, where f has opposite signs, by regula falsi (Illinois) with a bisection every
   * third round. Leaves in `t` the far end of a bracket narrower than relativeError times its distance: a place that
   * the zero set lies before. A root is a change of sign, zero counting as positive: where f is zero all over a plate, only
   * the side on which f is negative beyond it is the surface.
   */
  findRoots(ids: readonly number[], relativeError: number): void {
    const { low, high, valueLow, valueHigh, t } = this;
    const lastSide = new Int8Array(t.length);
    let active = [...ids];
    for (let round = 1; round <= MAX_ROUNDS && active.length > 0; round++) {
      for (const id of active) {
        const middle = (low[id] + high[id]) / 2;
        const hop = (relativeError * high[id]) / 2;
        if (round % 3 === 0) t[id] = middle;
        // Exactly zero at an end: the sign changes right beside it, or beyond a plate of zeros.
        else if (valueHigh[id] === 0) t[id] = Math.max(middle, high[id] - hop);
        else if (valueLow[id] === 0) t[id] = Math.min(middle, low[id] + hop);
        else t[id] = (low[id] * valueHigh[id] - high[id] * valueLow[id]) / (valueHigh[id] - valueLow[id]);
      }
      const values = this.probe(active);
      const open: number[] = [];
      for (let j = 0; j < active.length; j++) {
        const id = active[j];
        const isHigh = values[j] >= 0 === valueHigh[id] >= 0;
        const side = isHigh ? 1 : -1;
        if (isHigh) [high[id], valueHigh[id]] = [t[id], values[j]];
        else [low[id], valueLow[id]] = [t[id], values[j]];
        // The end that stays for the second time counts half, or it would stay for ever.
        if (side === lastSide[id]) (isHigh ? valueLow : valueHigh)[id] /= 2;
        lastSide[id] = side;
        if (high[id] - low[id] > relativeError * high[id]) open.push(id);
      }
      active = open;
    }
    for (const id of ids) t[id] = high[id];
  }

  /** How far ray `id` runs inside the domain; 0 where its origin is outside. */
  exitDistance(id: number, domain: Box3): number {
    let exit = Number.POSITIVE_INFINITY;
    for (let axis = 0; axis < 3; axis++) {
      const d = this.directions[id * 3 + axis];
      const x = this.origins[id * 3 + axis];
      if (x < domain.min[axis] || x > domain.max[axis]) return 0;
      if (d > 0) exit = Math.min(exit, (domain.max[axis] - x) / d);
      else if (d < 0) exit = Math.min(exit, (domain.min[axis] - x) / d);
    }
    return exit;
  }
}
