/** The part of a field that the oracles use; a `CpuField` is one. */
export interface CheckField {
  /** f at points f64[3n], local units, into f64[n]; f < 0 inside. */
  evaluate(pointsLocal: Float64Array, out: Float64Array, n?: number): void;
  /** f and its gradient, f64[n] and f64[3n]. */
  evaluateWithGradient(
    pointsLocal: Float64Array,
    outValues: Float64Array,
    outGradients: Float64Array,
    n?: number,
  ): void;
}

/** How a set of values is spread; all 0 where there are none. */
export interface Spread {
  /** How many there were. */
  readonly n: number;
  readonly mean: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Sorts `values` in place. */
export function spreadOf(values: Float64Array): Spread {
  if (values.length === 0) return { n: 0, mean: 0, p99: 0, p999: 0, max: 0 };
  values.sort();
  const quantile = (q: number) => values[Math.min(values.length - 1, Math.floor(q * values.length))];
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return {
    n: values.length,
    mean,
    p99: quantile(0.99),
    p999: quantile(0.999),
    max: values[values.length - 1],
  };
}
