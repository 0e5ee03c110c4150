import { concat } from '../arrays.ts';
import type { Box3 } from '../format/asset.ts';
import type { SurfaceMesh } from './mesh.ts';

const ITEMS_PER_YIELD = 16384;
/** Vertices on seams at most: two of their numbers make a key below 2^53. */
const MAX_SEAM_VERTICES = 2 ** 26;

/**
 * Joins the meshes of tiles to one. Where two tiles meet both have the same vertices, bit by bit, and the same sides, one
 * way around each; what does not fit is a fault.
 */
export class TileWelder {
  readonly #bounds: Box3;
  readonly #reach: number;
  readonly #positions: Float32Array[] = [];
  readonly #normals: Float32Array[] = [];
  readonly #indices: Uint32Array[] = [];
  #nVertices = 0;
  /** The vertices on seams, by the bits of their positions; their numbers in the mesh and what their normals add up to. */
  readonly #seamAt = new Map<string, number>();
  readonly #seamVertices: number[] = [];
  readonly #seamPositions: number[] = [];
  readonly #seamNormals: number[] = [];
  /** Sides between vertices on seams, from and to. */
  readonly #sides = new Set<number>();
  #nTwice = 0;

  /**
   * @param bounds what the whole mesh may be open on.
   * @param reach how far a vertex on a seam may have been moved off its plane.
   */
  constructor(bounds: Box3, reach: number) {
    const round = (at: readonly number[]) => at.map(Math.fround) as [number, number, number];
    this.#bounds = { min: round(bounds.min), max: round(bounds.max) };
    this.#reach = reach;
  }

  /**
   * Adds the mesh of a tile. Yields after every few milliseconds of work.
   * @param seams see `Tile`.
   */
  *add(mesh: SurfaceMesh, seams: Box3): Generator<void, void, void> {
    const isOnSeam = yield* findSeamVertices(mesh, yield* this.#nearSeams(mesh, seams));
    const seamOf = new Map<number, number>();
    const numbers = new Uint32Array(mesh.positions.length / 3);
    const positions = new Float32Array(mesh.positions.length);
    const normals = new Float32Array(mesh.positions.length);
    let n = 0;
    for (let v = 0; v < numbers.length; v++) {
      if (v % ITEMS_PER_YIELD === 0) yield;
      const nBefore = this.#seamVertices.length;
      if (isOnSeam[v] === 1) {
        const seam = this.#numberSeam(mesh.positions.subarray(3 * v, 3 * v + 3), this.#nVertices + n);
        seamOf.set(v, seam);
        numbers[v] = this.#seamVertices[seam];
        if (seam < nBefore) continue;
      } else numbers[v] = this.#nVertices + n;
      for (let k = 0; k < 3; k++) {
        positions[3 * n + k] = mesh.positions[3 * v + k];
        normals[3 * n + k] = mesh.normals[3 * v + k];
      }
      n++;
    }
    this.#positions.push(positions.slice(0, 3 * n));
    this.#normals.push(normals.slice(0, 3 * n));
    this.#nVertices += n;
    yield* this.#addTriangles(mesh, numbers, seamOf);
  }

  /**
   * The whole mesh; may be called once.
   * @returns how many sides do not fit, where any do not.
   */
  *finish(): Generator<void, SurfaceMesh | number, void> {
    const nOpen = yield* this.#countOpen();
    if (nOpen + this.#nTwice > 0) return nOpen + this.#nTwice;
    const normals = concat(Float32Array, this.#normals);
    yield;
    for (let seam = 0; seam < this.#seamVertices.length; seam++) {
      if (seam % ITEMS_PER_YIELD === 0) yield;
      const [x, y, z] = this.#seamNormals.slice(3 * seam, 3 * seam + 3);
      const length = Math.hypot(x, y, z);
      if (length > 0) normals.set([x / length, y / length, z / length], 3 * this.#seamVertices[seam]);
    }
    const positions = concat(Float32Array, this.#positions);
    yield;
    return { positions, normals, indices: concat(Uint32Array, this.#indices) };
  }

  /** Bits of the seams that each vertex is near. */
  *#nearSeams({ positions }: SurfaceMesh, { min, max }: Box3): Generator<void, Uint8Array, void> {
    const near = new Uint8Array(positions.length / 3);
    const reach = this.#reach;
    for (let v = 0, at = 0; v < near.length; v++, at += 3) {
      if (v % ITEMS_PER_YIELD === 0) yield;
      let bits = 0;
      for (let k = 0; k < 3; k++) {
        const x = positions[at + k];
        if (Math.abs(x - min[k]) <= reach) bits |= 1 << (2 * k);
        if (Math.abs(x - max[k]) <= reach) bits |= 2 << (2 * k);
      }
      near[v] = bits;
    }
    return near;
  }

  /** The number on the seams of a vertex there; a new one where it was not seen before. */
  #numberSeam(position: Float32Array, vertex: number): number {
    const [x, y, z] = position;
    // Shortest decimals tell the bits apart, and make one zero of two.
    const key = `${x + 0} ${y + 0} ${z + 0}`;
    const found = this.#seamAt.get(key);
    if (found !== undefined) return found;
    const seam = this.#seamVertices.push(vertex) - 1;
    this.#seamAt.set(key, seam);
    this.#seamPositions.push(x, y, z);
    this.#seamNormals.push(0, 0, 0);
    return seam;
  }

  *#addTriangles(
    { positions, normals, indices }: SurfaceMesh,
    numbers: Uint32Array,
    seamOf: ReadonlyMap<number, number>,
  ): Generator<void, void, void> {
    const renumbered = new Uint32Array(indices.length);
    for (let t = 0; t < indices.length; t += 3) {
      if (t % (3 * ITEMS_PER_YIELD) === 0) yield;
      const corners = [indices[t], indices[t + 1], indices[t + 2]];
      const seams = corners.map((v) => seamOf.get(v));
      for (let k = 0; k < 3; k++) {
        renumbered[t + k] = numbers[corners[k]];
        const seam = seams[k];
        if (seam === undefined) continue;
        const area = areaOf(positions, corners);
        for (let i = 0; i < 3; i++) this.#seamNormals[3 * seam + i] += area * normals[3 * corners[k] + i];
        const next = seams[(k + 1) % 3];
        if (next !== undefined) this.#addSide(seam, next);
      }
    }
    this.#indices.push(renumbered);
  }

  #addSide(from: number, to: number): void {
    const key = from * MAX_SEAM_VERTICES + to;
    if (this.#sides.has(key)) this.#nTwice++;
    this.#sides.add(key);
  }

  /** Sides between vertices on seams that are there one way only, but for those that the mesh ends at. */
  *#countOpen(): Generator<void, number, void> {
    let nOpen = 0;
    let n = 0;
    for (const key of this.#sides) {
      if (n++ % ITEMS_PER_YIELD === 0) yield;
      const to = key % MAX_SEAM_VERTICES;
      const from = (key - to) / MAX_SEAM_VERTICES;
      if (this.#sides.has(to * MAX_SEAM_VERTICES + from)) continue;
      if (!this.#isBorder(from, to)) nOpen++;
    }
    return nOpen;
  }

  /** Whether two vertices lie on one face of the bounds. */
  #isBorder(a: number, b: number): boolean {
    const { min, max } = this.#bounds;
    return [0, 1, 2].some((k) => {
      const [x, y] = [this.#seamPositions[3 * a + k], this.#seamPositions[3 * b + k]];
      return (x <= min[k] && y <= min[k]) || (x >= max[k] && y >= max[k]);
    });
  }
}

/** 1 for every vertex of a side near a seam that has a triangle on one side only. */
function* findSeamVertices({ indices }: SurfaceMesh, near: Uint8Array): Generator<void, Uint8Array, void> {
  const open = new Set<number>();
  const nVertices = near.length;
  for (let t = 0; t < indices.length; t += 3) {
    if (t % (3 * ITEMS_PER_YIELD) === 0) yield;
    for (let k = 0; k < 3; k++) {
      const a = indices[t + k];
      const b = indices[t + ((k + 1) % 3)];
      if ((near[a] & near[b]) === 0) continue;
      if (!open.delete(b * nVertices + a)) open.add(a * nVertices + b);
    }
  }
  const isOnSeam = new Uint8Array(nVertices);
  for (const key of open) {
    isOnSeam[key % nVertices] = 1;
    isOnSeam[Math.floor(key / nVertices)] = 1;
  }
  return isOnSeam;
}

function areaOf(positions: Float32Array, [a, b, c]: readonly number[]): number {
  const side = (v: number) => [0, 1, 2].map((k) => positions[3 * v + k] - positions[3 * a + k]);
  const [u, v] = [side(b), side(c)];
  return Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]);
}
