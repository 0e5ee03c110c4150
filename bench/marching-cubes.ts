import type { Box3 } from '../src/format/asset.ts';
import type { CheckField } from '../src/surface/check-field.ts';
import { buildTable, type MarchingCubesTable } from '../src/surface/marching-cubes-table.ts';

interface MarchingCubesOptions {
  /** Cells along the domain's longest side. */
  readonly resolution: number;
  /** Put vertices on the field's own root along the edge, not on the linear one. */
  readonly hasExactRoots?: boolean;
}

interface MarchingCubesResult {
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
  readonly nLatticePoints: number;
  readonly timeMs: { readonly lattice: number; readonly extract: number; readonly roots: number };
}

/** Rounds of regula falsi for exact roots. */
const MAX_ROUNDS = 20;
// Made when it is first needed: most pages and workers never march.
let table: MarchingCubesTable | undefined;

/**
 * Dense marching cubes at once: the peer that the benchmark measures against. Every lattice value is asked for once, a slice at a time; every edge
 * is crossed once; vertices are shared through buffers of two slices. Watertight inside the domain.
 */
export function marchingCubes(
  field: CheckField,
  domain: Box3,
  { resolution, hasExactRoots = false }: MarchingCubesOptions,
): MarchingCubesResult {
  const sweep = new Sweep(domain, resolution);
  const timeMs = { lattice: 0, extract: 0, roots: 0 };
  const timed = (key: keyof typeof timeMs, job: () => void): void => {
    const start = performance.now();
    job();
    timeMs[key] += performance.now() - start;
  };
  for (let k = 0; k <= sweep.counts[2]; k++) {
    timed('lattice', () => sweep.evaluateSlice(field, k));
    timed('extract', () => sweep.addSlice(k));
  }
  if (hasExactRoots) timed('roots', () => sweep.refineRoots(field));
  const { positions, indices } = sweep.mesh();
  return {
    positions: Float32Array.from(positions),
    indices,
    nLatticePoints: sweep.sliceSize * (sweep.counts[2] + 1),
    timeMs,
  };
}

/** Only the lattice, f64[(nx + 1)(ny + 1)(nz + 1)], x fastest. */
export function latticeValues(
  field: CheckField,
  domain: Box3,
  resolution: number,
): { readonly values: Float64Array; readonly counts: readonly number[] } {
  const sweep = new Sweep(domain, resolution);
  const values = new Float64Array(sweep.sliceSize * (sweep.counts[2] + 1));
  for (let k = 0; k <= sweep.counts[2]; k++) {
    values.set(sweep.evaluateSlice(field, k), k * sweep.sliceSize);
  }
  return { values, counts: sweep.counts };
}

class Sweep {
  readonly #table: MarchingCubesTable;
  /** Cells along each axis. */
  readonly counts: readonly number[];
  readonly sliceSize: number;
  readonly #step: readonly number[];
  readonly #min: readonly number[];
  readonly #points: Float64Array;
  /** f on the slice below and on this one, swapped from slice to slice; so are `#isInside`. */
  #values: [Float64Array, Float64Array];
  #isInside: [Uint8Array, Uint8Array];
  /** Vertex of every crossed edge: x edges of both slices, y edges of both, z edges between. */
  readonly #edgeVertex: Uint32Array;
  /** Per parity of the slice: where in `#edgeVertex` each of a cell's 12 edges lies from its first corner on. */
  readonly #edgeOffset: readonly [Int32Array, Int32Array];
  #nVertices = 0;
  #nIndices = 0;
  /** Per vertex: lattice coordinates of the edge's near end, its axis, f at both ends. */
  #edges = new Float64Array(1 << 16);
  #indices = new Uint32Array(1 << 16);

  constructor({ min, max }: Box3, resolution: number) {
    table ??= buildTable();
    this.#table = table;
    const extents = min.map((low, axis) => max[axis] - low);
    const cell = Math.max(...extents) / resolution;
    this.counts = extents.map((extent) => Math.max(1, Math.round(extent / cell)));
    this.#step = extents.map((extent, axis) => extent / this.counts[axis]);
    this.#min = min;
    const row = this.counts[0] + 1;
    const size = row * (this.counts[1] + 1);
    this.sliceSize = size;
    this.#points = new Float64Array(size * 3);
    for (let i = 0; i < size; i++) {
      this.#points[i * 3] = min[0] + (i % row) * this.#step[0];
      this.#points[i * 3 + 1] = min[1] + Math.floor(i / row) * this.#step[1];
    }
    this.#values = [new Float64Array(size), new Float64Array(size)];
    this.#isInside = [new Uint8Array(size), new Uint8Array(size)];
    this.#edgeVertex = new Uint32Array(size * 5);
    this.#edgeOffset = [this.#offsets(0), this.#offsets(1)];
  }

  /** @param upper which half of the x and y edges belongs to the slice above. */
  #offsets(upper: number): Int32Array {
    const row = this.counts[0] + 1;
    return new Int32Array(12).map((_, edge) => {
      const axis = edge >> 2;
      const corner = this.#table.edgeCorner[edge];
      const inSlice = (corner & 1) + ((corner >> 1) & 1) * row;
      const half = corner & 4 ? upper : 1 - upper;
      return inSlice + this.sliceSize * (axis === 2 ? 4 : axis * 2 + half);
    });
  }

  /** f on slice k; valid until the next but one. */
  evaluateSlice(field: CheckField, k: number): Float64Array {
    const z = this.#min[2] + k * this.#step[2];
    for (let i = 2; i < this.#points.length; i += 3) this.#points[i] = z;
    this.#values = [this.#values[1], this.#values[0]];
    this.#isInside = [this.#isInside[1], this.#isInside[0]];
    field.evaluate(this.#points, this.#values[1], this.sliceSize);
    return this.#values[1];
  }

  /** Crosses the edges in this slice and, but for the first, those from the slice below and the cells between. */
  addSlice(k: number): void {
    const [, values] = this.#values;
    const [, isInside] = this.#isInside;
    for (let i = 0; i < values.length; i++) isInside[i] = values[i] < 0 ? 1 : 0;
    this.#crossInSlice(k);
    if (k === 0) return;
    this.#crossFromBelow(k);
    this.#addCells(this.#edgeOffset[k & 1]);
  }

  #crossInSlice(k: number): void {
    const [nx, ny] = this.counts;
    const row = nx + 1;
    const [, s] = this.#isInside;
    const [, f] = this.#values;
    const xEdges = this.sliceSize * (k & 1);
    const yEdges = this.sliceSize * (2 + (k & 1));
    for (let j = 0, i = 0; j <= ny; j++) {
      for (let x = 0; x < nx; x++, i++) {
        if (s[i] !== s[i + 1]) this.#edgeVertex[xEdges + i] = this.#addVertex(x, j, k, 0, f[i], f[i + 1]);
        if (j < ny && s[i] !== s[i + row]) {
          this.#edgeVertex[yEdges + i] = this.#addVertex(x, j, k, 1, f[i], f[i + row]);
        }
      }
      if (j < ny && s[i] !== s[i + row]) {
        this.#edgeVertex[yEdges + i] = this.#addVertex(nx, j, k, 1, f[i], f[i + row]);
      }
      i++;
    }
  }

  #crossFromBelow(k: number): void {
    const row = this.counts[0] + 1;
    const [below, s] = this.#isInside;
    const zEdges = this.sliceSize * 4;
    for (let i = 0; i < s.length; i++) {
      if (below[i] === s[i]) continue;
      const [f0, f1] = [this.#values[0][i], this.#values[1][i]];
      this.#edgeVertex[zEdges + i] = this.#addVertex(i % row, Math.floor(i / row), k - 1, 2, f0, f1);
    }
  }

  #addCells(edgeOffset: Int32Array): void {
    const [nx, ny] = this.counts;
    const row = nx + 1;
    const [below, s] = this.#isInside;
    const { first, triangleEdges } = this.#table;
    for (let j = 0; j < ny; j++) {
      let i = j * row;
      // Bits 1, 3, 5, 7 are the corners on the far side along x; they become the near ones of the next cell.
      let signs = (below[i] << 1) | (below[i + row] << 3) | (s[i] << 5) | (s[i + row] << 7);
      for (const end = i + nx; i < end; i++) {
        signs = (signs >> 1) & 0x55;
        signs |= (below[i + 1] << 1) | (below[i + row + 1] << 3) | (s[i + 1] << 5) | (s[i + row + 1] << 7);
        if (signs === 0 || signs === 255) continue;
        const from = first[signs] * 3;
        const to = first[signs + 1] * 3;
        if (this.#nIndices + to - from > this.#indices.length) this.#indices = grown(this.#indices);
        for (let e = from; e < to; e++) {
          this.#indices[this.#nIndices++] = this.#edgeVertex[i + edgeOffset[triangleEdges[e]]];
        }
      }
    }
  }

  #addVertex(x: number, y: number, z: number, axis: number, f0: number, f1: number): number {
    const k = this.#nVertices * 6;
    if (k + 6 > this.#edges.length) this.#edges = grown(this.#edges);
    const edges = this.#edges;
    edges[k] = x;
    edges[k + 1] = y;
    edges[k + 2] = z;
    edges[k + 3] = axis;
    edges[k + 4] = f0;
    edges[k + 5] = f1;
    return this.#nVertices++;
  }

  /** Where along its edge each vertex lies, in [0, 1], if f were linear; replaced by `refineRoots`. */
  #roots: Float64Array | null = null;

  /** Regula falsi (Illinois) on the field itself, all edges at once. */
  refineRoots(field: CheckField): void {
    const n = this.#nVertices;
    const edges = this.#edges;
    const low = new Float64Array(n);
    const high = new Float64Array(n).fill(1);
    const lastSide = new Int8Array(n);
    const roots = new Float64Array(n);
    const goal = new Float64Array(n);
    const points = new Float64Array(n * 3);
    const values = new Float64Array(n);
    for (let v = 0; v < n; v++) goal[v] = 1e-8 * Math.abs(edges[v * 6 + 5] - edges[v * 6 + 4]);
    let active = new Uint32Array(n).map((_, v) => v);
    for (let round = 0; round < MAX_ROUNDS && active.length > 0; round++) {
      for (let a = 0; a < active.length; a++) {
        const v = active[a];
        const [f0, f1] = [edges[v * 6 + 4], edges[v * 6 + 5]];
        roots[v] = (low[v] * f1 - high[v] * f0) / (f1 - f0);
        this.#writePoint(v, roots[v], points, a * 3);
      }
      field.evaluate(points, values, active.length);
      active = active.filter((v, a) => {
        const f = values[a];
        const isHigh = f < 0 === edges[v * 6 + 5] < 0;
        if (isHigh) high[v] = roots[v];
        else low[v] = roots[v];
        edges[v * 6 + (isHigh ? 5 : 4)] = f;
        if (lastSide[v] === (isHigh ? 1 : -1)) edges[v * 6 + (isHigh ? 4 : 5)] /= 2;
        lastSide[v] = isHigh ? 1 : -1;
        return Math.abs(f) > goal[v];
      });
    }
    this.#roots = roots;
  }

  #writePoint(v: number, t: number, out: Float64Array, k: number): void {
    const axis = this.#edges[v * 6 + 3];
    for (let a = 0; a < 3; a++) {
      out[k + a] = this.#min[a] + (this.#edges[v * 6 + a] + (a === axis ? t : 0)) * this.#step[a];
    }
  }

  mesh(): { positions: Float64Array; indices: Uint32Array } {
    const positions = new Float64Array(this.#nVertices * 3);
    for (let v = 0; v < this.#nVertices; v++) {
      const [f0, f1] = [this.#edges[v * 6 + 4], this.#edges[v * 6 + 5]];
      this.#writePoint(v, this.#roots === null ? f0 / (f0 - f1) : this.#roots[v], positions, v * 3);
    }
    return { positions, indices: this.#indices.slice(0, this.#nIndices) };
  }
}

function grown<T extends Float64Array | Uint32Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
}
