import { clampTo } from '../box.ts';
import type { Box3 } from '../format/asset.ts';
import type { CheckField } from './check-field.ts';

/** The 26 ways from a cube's centre to its corners and the middles of its edges and sides: along 13 axes, each both ways. */
export const CUBE_WAYS: readonly (readonly number[])[] = [-1, 0, 1]
  .flatMap((x) => [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((z) => [x, y, z])))
  .filter((way) => way.some((d) => d !== 0));
/** The same, unit length: f64[26 * 3]. */
const WAYS = Float64Array.from(CUBE_WAYS.flatMap((way) => way.map((d) => d / Math.hypot(...way))));
const N_WAYS = WAYS.length / 3;

/**
 * Finds whether the zero set is within a distance of a point, by a change of f's sign. That bounds the distance, where
 * |f| / |∇f| alone does not: beside a crease, and where f is next to constant, it may be anything.
 */
export class SignProbe {
  readonly #field: CheckField;
  private readonly domain: Box3;
  private readonly points = new Float64Array(N_WAYS * 3);
  private readonly values = new Float64Array(N_WAYS);

  /** @param domain the zero set beside it does not count: what is looked at there is moved onto its faces. */
  constructor(field: CheckField, domain: Box3) {
    this.#field = field;
    this.domain = domain;
  }

  /** Whether f has another sign than `f` at (x, y, z) + (dx, dy, dz). */
  isCrossed(f: number, x: number, y: number, z: number, dx: number, dy: number, dz: number): boolean {
    const { points, values } = this;
    this.#place(0, x + dx, y + dy, z + dz);
    this.#field.evaluate(points, values, 1);
    return values[0] >= 0 !== f >= 0;
  }

  /** Whether f has another sign than `f` at `reach` from (x, y, z) in one of 26 directions. */
  isCrossedAround(f: number, x: number, y: number, z: number, reach: number): boolean {
    const { points, values } = this;
    for (let i = 0; i < N_WAYS * 3; i += 3) {
      this.#place(i, x + reach * WAYS[i], y + reach * WAYS[i + 1], z + reach * WAYS[i + 2]);
    }
    this.#field.evaluate(points, values, N_WAYS);
    for (let i = 0; i < N_WAYS; i++) if (values[i] >= 0 !== f >= 0) return true;
    return false;
  }

  #place(i: number, x: number, y: number, z: number): void {
    const { points, domain } = this;
    points[i] = clampTo(domain, 0, x);
    points[i + 1] = clampTo(domain, 1, y);
    points[i + 2] = clampTo(domain, 2, z);
  }
}
