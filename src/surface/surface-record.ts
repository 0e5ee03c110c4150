/** A surface that is kept: how it is written, how it is read, and what is looked at before it is trusted. */

import { diagonalOf } from '../box.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Box3 } from '../format/asset.ts';
import { RecordReader, RecordWriter } from '../partition/record-bytes.ts';
import type { SurfaceMesh } from './mesh.ts';
import { SignProbe } from './sign-probe.ts';
import { verifySides } from './verify-sides.ts';

const INDICES_PER_YIELD = 32_768;
/** Bytes of a vertex in the record, and the least of a triangle. */
const VERTEX_BYTES = 24;
const TRIANGLE_BYTES = 3;

/** Writes a finished mesh: its vertices and normals bit by bit, its connectivity as differences. Yields the fraction done. */
export function* encodeSurface(mesh: SurfaceMesh): Generator<number, Uint8Array<ArrayBuffer>, void> {
  const { positions, normals, indices } = mesh;
  const writer = new RecordWriter();
  writer.unsigned(positions.length / 3);
  writer.unsigned(indices.length / 3);
  writer.raw(positions);
  writer.raw(normals);
  let previous = 0;
  for (let i = 0; i < indices.length; i++) {
    writer.signed(indices[i] - previous);
    previous = indices[i];
    if (i % INDICES_PER_YIELD === 0) yield i / indices.length;
  }
  return writer.finish();
}

/**
 * Reads what {@link encodeSurface} wrote: the same bytes in arrays of their own.
 * @throws {NsdfFormatError} where a count or an index is out of bounds.
 */
export function* decodeSurface(bytes: Uint8Array): Generator<number, SurfaceMesh, void> {
  const reader = new RecordReader(bytes);
  const nVertices = reader.unsigned(Math.floor(bytes.length / VERTEX_BYTES));
  const nTriangles = reader.unsigned(Math.floor(bytes.length / TRIANGLE_BYTES));
  const positions = reader.floats32(nVertices * 3);
  const normals = reader.floats32(nVertices * 3);
  if (nTriangles * TRIANGLE_BYTES > reader.nLeft)
    reader.fail(`${nTriangles} triangles in ${reader.nLeft} bytes`);
  const indices = new Uint32Array(nTriangles * 3);
  let index = 0;
  for (let i = 0; i < indices.length; i++) {
    index += reader.signed();
    if (!(index >= 0 && index < nVertices)) reader.fail(`vertex ${index} of ${nVertices}`);
    indices[i] = index;
    if (i % INDICES_PER_YIELD === 0) yield i / indices.length;
  }
  reader.end();
  return { positions, normals, indices };
}

/** Vertices whose distance from the zero set is looked at. */
const N_SAMPLES = 256;
/** Distance from the zero set, as a share of the domain's diagonal, that single precision explains. */
const OFF_ZERO = 1e-6;
/** Share of the samples that may be farther off: a few vertices are where the field has no slope to follow. */
const MAX_OFF_SHARE = 0.02;
const UNIT_SLACK = 1e-3;
/**
 * Points whose sign is held against the mesh: shares of what a derivation evaluates, 0.6 points a box of the lattice and
 * 36 a vertex, within limits.
 */
const BOXES_PER_SIDE = 32;
const SIDES_PER_VERTEX = 1;
const MIN_SIDES = 256;
const MAX_SIDES = 32_768;
const ITEMS_PER_YIELD = 8192;

/** What a mesh claims to be. */
interface SurfaceClaim {
  /** What it was cut to: its edges may be open there. */
  readonly bounds: Box3;
  /** The distance between mesh and zero set that was asked for, local units. */
  readonly tolerance: number;
  /** Boxes of the lattice that the surface was searched on. */
  readonly nBoxes: number;
  /** Whether it is closed on its bounds by caps, whose own vertices are not on the zero set. */
  readonly isCapped?: boolean;
}

/**
 * Looks for reasons not to trust a mesh that was not derived just now: numbers that are none, vertices out of bounds or
 * off the zero set (a sample of them), normals that are not of unit length, open edges, parts that are missing (by the
 * signs of f at a sample of points). Yields the fraction done. It evaluates less than a tenth of what a derivation does.
 * @returns what is wrong, or undefined.
 */
export function* verifySurface(
  mesh: SurfaceMesh,
  field: CpuField,
  { bounds, tolerance, nBoxes, isCapped = false }: SurfaceClaim,
): Generator<number, string | undefined, void> {
  const wrong =
    (yield* verifyVertices(mesh, bounds)) ??
    (yield* verifyEdges(mesh, bounds)) ??
    verifyZeroSet(mesh, field, isCapped ? borderMasks(mesh, bounds) : undefined);
  if (wrong !== undefined) return wrong;
  const nVertices = mesh.positions.length / 3;
  const wanted = nBoxes / BOXES_PER_SIDE + SIDES_PER_VERTEX * nVertices;
  const nSamples = Math.min(MAX_SIDES, Math.max(MIN_SIDES, wanted));
  return yield* verifySides(mesh, field, { bounds, tolerance, nSamples, seed: nVertices + 1 });
}

function* verifyVertices(
  { positions, normals }: SurfaceMesh,
  bounds: Box3,
): Generator<number, string | undefined> {
  const min = bounds.min.map(Math.fround);
  const max = bounds.max.map(Math.fround);
  for (let i = 0; i < positions.length; i += 3) {
    for (let k = 0; k < 3; k++) {
      const x = positions[i + k];
      if (!(x >= min[k] && x <= max[k])) return `vertex ${i / 3} lies out of the domain, at ${x}`;
    }
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]);
    if (!(Math.abs(length - 1) <= UNIT_SLACK)) return `normal ${i / 3} has length ${length}`;
    if (i % (3 * ITEMS_PER_YIELD) === 0) yield (0.5 * i) / positions.length;
  }
  return undefined;
}

/**
 * Every directed edge has its opposite: hashes of (a, b) less those of (b, a), over all triangles, sum to zero then, and
 * else hardly ever (one in 2^64). Edges are told by their ends' positions, so that split normals are no holes. No table
 * of edges is needed, which would take longer than all the rest.
 */
function* verifyEdges(mesh: SurfaceMesh, bounds: Box3): Generator<number, string | undefined> {
  const { indices } = mesh;
  const [low, high] = vertexHashes(mesh);
  const borders = borderMasks(mesh, bounds);
  let sumLow = 0;
  let sumHigh = 0;
  for (let t = 0; t < indices.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const a = indices[t + k];
      const b = indices[t + ((k + 1) % 3)];
      if (a === b) return `triangle ${t / 3} has a vertex twice`;
      if ((borders[a] & borders[b]) !== 0) continue;
      sumLow = (sumLow + mix(low[a], high[b]) - mix(low[b], high[a])) | 0;
      sumHigh = (sumHigh + mix(high[a] ^ 0x5bd1e995, low[b]) - mix(high[b] ^ 0x5bd1e995, low[a])) | 0;
    }
    if (t % (3 * ITEMS_PER_YIELD) === 0) yield 0.5 + (0.4 * t) / indices.length;
  }
  return sumLow === 0 && sumHigh === 0 ? undefined : 'it has open edges';
}

function vertexHashes({ positions }: SurfaceMesh): [Int32Array, Int32Array] {
  const n = positions.length / 3;
  const low = new Int32Array(n);
  const high = new Int32Array(n);
  // Adding zero makes -0 and 0 one position.
  const bits = new Int32Array(positions.map((x) => x + 0).buffer);
  for (let v = 0; v < n; v++) {
    const first = mix(bits[v * 3], bits[v * 3 + 1]);
    low[v] = mix(first, bits[v * 3 + 2]);
    high[v] = mix(first ^ 0x2545f491, bits[v * 3 + 2] ^ 0x68bc21eb);
  }
  return [low, high];
}

/** A 32-bit hash of two 32-bit numbers in their order; the finaliser is MurmurHash3's. */
function mix(a: number, b: number): number {
  let hash = Math.imul(a, 0x9e3779b1) + Math.imul(b ^ (a >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Bit 2k or 2k + 1: the vertex lies on the lower or upper face of the bounds along axis k. */
function borderMasks({ positions }: SurfaceMesh, bounds: Box3): Uint8Array {
  const masks = new Uint8Array(positions.length / 3);
  const faces = [0, 1, 2].flatMap((k) => [Math.fround(bounds.min[k]), Math.fround(bounds.max[k])]);
  for (let i = 0; i < positions.length; i++) {
    const k = i % 3;
    const v = (i - k) / 3;
    if (positions[i] === faces[2 * k]) masks[v] |= 1 << (2 * k);
    if (positions[i] === faces[2 * k + 1]) masks[v] |= 2 << (2 * k);
  }
  return masks;
}

/** @param faces of the vertices, where those on any are left out. */
function verifyZeroSet(
  { positions }: SurfaceMesh,
  field: CpuField,
  faces: Uint8Array | undefined,
): string | undefined {
  const asked = [...Array(positions.length / 3).keys()].filter((v) => !faces || faces[v] === 0);
  const nVertices = asked.length;
  const n = Math.min(N_SAMPLES, nVertices);
  const points = new Float64Array(n * 3);
  for (let i = 0; i < n; i++) {
    const v = asked[Math.floor((i * nVertices) / n)];
    for (let k = 0; k < 3; k++) points[i * 3 + k] = positions[v * 3 + k];
  }
  const values = new Float64Array(n);
  const gradients = new Float64Array(n * 3);
  field.evaluateWithGradient(points, values, gradients, n);
  const reach = OFF_ZERO * diagonalOf(field.asset.domain);
  const probe = new SignProbe(field, field.asset.domain);
  let nOff = 0;
  for (let i = 0; i < n; i++) {
    const slope = Math.hypot(gradients[i * 3], gradients[i * 3 + 1], gradients[i * 3 + 2]);
    if (Math.abs(values[i]) <= reach * slope) continue;
    // Beside a crease the slope may be that of its flat side.
    const [x, y, z] = points.subarray(i * 3, i * 3 + 3);
    if (!probe.isCrossedAround(values[i], x, y, z, reach)) nOff++;
  }
  return nOff > Math.max(1, MAX_OFF_SHARE * n) ? `${nOff} of ${n} vertices are off the zero set` : undefined;
}
