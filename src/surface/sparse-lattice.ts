import { growFloat64 } from '../arrays.ts';
import { extentOf } from '../box.ts';
import { checkBudget } from '../budgets.ts';
import type { Box3 } from '../format/asset.ts';
import type { CheckField } from './check-field.ts';

/** Corners evaluated between two yields: 2 to 4 ms. */
const CORNERS_PER_SLICE = 2048;

const PAGE_CORNERS = 8 ** 3;
/** Pages that are allocated together: many small arrays are slow to make. */
const PAGES_A_SLAB = 256;
/** Corners that there is room for at first: bunny-S and -L have 16 N^2. */
const ROOM_A_SQUARE = 16;
const LEAST_ROOM = 1024;
const MOST_ROOM = 2 ** 21;

/** A field to be asked in slices: a `CpuField` is one. */
export type SlicedField = CheckField & {
  /** See `CpuField.pointsPerSlice`. */
  pointsPerSlice(most: number): number;
};

/**
 * A uniform lattice of which only the corners that somebody asks for exist. Corners are numbered in the order in which
 * they are asked for; f is evaluated in batches, once a corner.
 */
export class SparseLattice {
  /** Boxes along x, y, z: as near to cubes as whole numbers allow. */
  readonly counts: readonly [number, number, number];
  /** Sides of a box, local units. */
  readonly step: readonly [number, number, number];
  /** f64[nCorners * 3 or more], local units. */
  positions: Float64Array;
  /** f64[nCorners or more]; f once {@link evaluate} is through. */
  values: Float64Array;
  nCorners = 0;
  readonly #nPages: readonly [number, number];
  readonly #field: SlicedField;
  readonly #bounds: Box3;
  /** Length of a box's diagonal, local units. */
  readonly diagonal: number;
  /** Numbers are kept in pages of 8³ corners, -1 where there is none: neighbours are mostly found in one page. */
  readonly #slabs: Int32Array[] = [];
  /** i32[pages]: 1 + a page's place in the slabs; 0 for none. */
  readonly #pages: Int32Array;
  #nUsedPages = 0;
  #lastPage = -1;
  /** The slab of the last page, and where the page begins there. */
  #ids = new Int32Array(0);
  #base = 0;
  #nEvaluated = 0;

  /** @param spacing about the side of a box, local units; the bounds have a volume. */
  constructor(field: SlicedField, bounds: Box3, spacing: number) {
    this.#field = field;
    this.#bounds = bounds;
    const extents = extentOf(bounds);
    const [nx, ny, nz] = extents.map((extent) => Math.max(1, Math.round(extent / spacing)));
    this.counts = [nx, ny, nz];
    this.#nPages = [(nx >> 3) + 1, (ny >> 3) + 1];
    this.#pages = new Int32Array(this.#nPages[0] * this.#nPages[1] * ((nz >> 3) + 1));
    this.step = [extents[0] / nx, extents[1] / ny, extents[2] / nz];
    const most = Math.max(nx, ny, nz);
    const room =
      Math.min(MOST_ROOM, nx * ny * nz + 3 * most * most, ROOM_A_SQUARE * most * most) + LEAST_ROOM;
    this.positions = new Float64Array(3 * room);
    this.values = new Float64Array(room);
    this.diagonal = Math.hypot(...this.step);
  }

  /** Number of the corner at lattice coordinates; beyond the last plane the last one is meant. */
  corner(x: number, y: number, z: number): number {
    const i = Math.min(x, this.counts[0]);
    const j = Math.min(y, this.counts[1]);
    const k = Math.min(z, this.counts[2]);
    const page = (i >> 3) + this.#nPages[0] * ((j >> 3) + this.#nPages[1] * (k >> 3));
    if (page !== this.#lastPage) this.#findPage(page);
    const slot = this.#base + ((i & 7) | ((j & 7) << 3) | ((k & 7) << 6));
    if (this.#ids[slot] >= 0) return this.#ids[slot];
    const id = this.nCorners++;
    this.#ids[slot] = id;
    if (this.values.length < this.nCorners) this.#reserve();
    this.positions[id * 3] = this.#coordinate(0, i);
    this.positions[id * 3 + 1] = this.#coordinate(1, j);
    this.positions[id * 3 + 2] = this.#coordinate(2, k);
    return id;
  }

  #findPage(page: number): void {
    if (this.#pages[page] === 0) {
      if (this.#nUsedPages % PAGES_A_SLAB === 0) {
        this.#slabs.push(new Int32Array(PAGES_A_SLAB * PAGE_CORNERS).fill(-1));
      }
      this.#pages[page] = ++this.#nUsedPages;
    }
    const place = this.#pages[page] - 1;
    this.#ids = this.#slabs[Math.floor(place / PAGES_A_SLAB)] as Int32Array<ArrayBuffer>;
    this.#base = (place % PAGES_A_SLAB) * PAGE_CORNERS;
    this.#lastPage = page;
  }

  /** @throws {NsdfBudgetError} before more is allocated than there may be. */
  #reserve(): void {
    checkBudget('nBoxes', this.nCorners, 'corners of boxes to look into', 'the detail asked for is too fine');
    this.values = growFloat64(this.values, this.nCorners);
    this.positions = growFloat64(this.positions, this.values.length * 3);
  }

  #coordinate(axis: number, i: number): number {
    const { min, max } = this.#bounds;
    return i === this.counts[axis] ? max[axis] : min[axis] + i * this.step[axis];
  }

  /** Evaluates f at the corners that are new. Yields between slices. */
  *evaluate(): Generator<void, void> {
    const perSlice = this.#field.pointsPerSlice(CORNERS_PER_SLICE);
    while (this.#nEvaluated < this.nCorners) {
      const end = Math.min(this.nCorners, this.#nEvaluated + perSlice);
      const points = this.positions.subarray(this.#nEvaluated * 3, end * 3);
      this.#field.evaluate(points, this.values.subarray(this.#nEvaluated, end), end - this.#nEvaluated);
      this.#nEvaluated = end;
      yield;
    }
  }

  /** Moves a corner to where f is known: the lattice is deformed, not refined. */
  move(corner: number, point: ArrayLike<number>, value: number): void {
    for (let k = 0; k < 3; k++) this.positions[corner * 3 + k] = point[k];
    this.values[corner] = value;
  }
}
