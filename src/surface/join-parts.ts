import { concat } from '../arrays.ts';
import type { RawMesh } from './finish.ts';
import type { RegionStructure } from './structure.ts';
import type { PartStructure } from './structure-collector.ts';

/** The surface of one of several parts in a row, each of which meets the one before and the one after it at a seam. */
export interface PartSurface {
  /** f64[n * 3], local units. The vertices on the lower seam come first, then those on the upper one. */
  readonly positions: Float64Array;
  /** f64[n * 3], not normalised, and f64[n * 2]: see `RawMesh`; of a vertex on a seam this part's share of the sum. */
  readonly normals: Float64Array;
  readonly slopes: Float64Array;
  /** i32[nTriangles * 3] */
  readonly indices: Int32Array;
  /** Vertices up to the end of each seam that there is, the lower one first. */
  readonly seamEnds: readonly number[];
  /** f64[m * 3] and i32[m]: see `Landmarks`. */
  readonly landmarks: Float64Array;
  readonly landmarksNear: Int32Array;
  /** Vertices that were put beside the zero set. */
  readonly unsound: Int32Array;
  readonly structure?: PartStructure;
}

/** What parts come to together. */
export interface JoinedSurface {
  readonly raw: RawMesh;
  readonly unsound: number[];
  readonly structure?: RegionStructure;
}

/** Joins the surfaces of parts in a row; the vertices on seams are one. Yields the fraction done. */
export function* joinParts(parts: readonly PartSurface[]): Generator<number, JoinedSurface, void> {
  const numbers = parts.map(() => new Int32Array(0));
  let nVertices = 0;
  parts.forEach(({ positions, seamEnds }, i) => {
    const nBelow = i === 0 ? 0 : seamEnds[0];
    const own = new Int32Array(positions.length / 3).map((_, v) => nVertices + v - nBelow);
    if (i > 0) own.set(upperSeam(parts[i - 1], numbers[i - 1], i > 1));
    if (i > 0) expectSameSeam(parts[i - 1], parts[i], i > 1);
    numbers[i] = own;
    nVertices += own.length - nBelow;
  });
  const landmarks = concat(
    Float64Array,
    parts.map(({ landmarks: at }) => at),
  );
  const near = parts.map(({ landmarksNear }, i) => landmarksNear.map((v) => (v < 0 ? -1 : numbers[i][v])));
  const indices = concat(
    Int32Array,
    parts.map((part, i) => renumber(part.indices, numbers[i])),
  );
  const raw: RawMesh = {
    positions: new Float64Array(nVertices * 3),
    normals: new Float64Array(nVertices * 3),
    slopes: new Float64Array(nVertices * 2),
    nVertices,
    indices,
    nTriangles: indices.length / 3,
    landmarks: { positions: landmarks, near: concat(Int32Array, near), n: landmarks.length / 3 },
  };
  for (const [i, part] of parts.entries()) {
    yield i / parts.length;
    addVertices(raw, part, numbers[i]);
  }
  const unsound = new Set(parts.flatMap((part, i) => Array.from(part.unsound, (v) => numbers[i][v])));
  const structure = joinStructures(parts, numbers);
  return { raw, unsound: [...unsound], ...(structure && { structure }) };
}

function renumber(indices: Int32Array, numbers: Int32Array): Int32Array {
  return indices.map((v) => numbers[v]);
}

/** Adds a part's vertices: where two parts have one, their sums. */
function addVertices({ positions, normals, slopes }: RawMesh, part: PartSurface, numbers: Int32Array): void {
  for (let v = 0; v < numbers.length; v++) {
    const to = numbers[v];
    for (let k = 0; k < 3; k++) {
      positions[to * 3 + k] = part.positions[v * 3 + k];
      normals[to * 3 + k] += part.normals[v * 3 + k];
    }
    for (let k = 0; k < 2; k++) slopes[to * 2 + k] += part.slopes[v * 2 + k];
  }
}

/** What the vertices on a part's upper seam have for numbers. */
function upperSeam({ seamEnds }: PartSurface, numbers: Int32Array, hasLower: boolean): Int32Array {
  return hasLower ? numbers.subarray(seamEnds[0], seamEnds[1]) : numbers.subarray(0, seamEnds[0]);
}

/** Both parts decide what is on their seam by the same data: anything else is a fault of ours, and would be a crack. */
function expectSameSeam(below: PartSurface, above: PartSurface, hasLower: boolean): void {
  const [from, to] = hasLower ? below.seamEnds : [0, below.seamEnds[0]];
  const [lower, upper] = [below.positions.subarray(from * 3, to * 3), above.positions];
  const isSame = to - from === above.seamEnds[0] && lower.every((x, i) => x === upper[i]);
  if (!isSame) throw new Error('Two parts of one surface do not meet: please report the field.');
}

/** The parts' structures as one: what two of them have on their seam is there once. */
function joinStructures(
  parts: readonly PartSurface[],
  numbers: readonly Int32Array[],
): RegionStructure | undefined {
  const all = parts.flatMap(({ structure }) => structure?.structure ?? []);
  if (all.length < parts.length || all.length === 0) return undefined;
  const ids = parts.map(({ structure }, i) => (structure as PartStructure).ids.map((v) => numbers[i][v]));
  const inOrder = [...new Set(ids.flatMap((part) => [...part]))].sort((a, b) => a - b);
  const compact = new Map(inOrder.map((id, n) => [id, n]));
  const vertices = new Float64Array(inOrder.length * 3);
  const places = ids.map((part) => part.map((id) => compact.get(id) as number));
  places.forEach((at, i) => {
    at.forEach((to, v) => {
      vertices.set(all[i].vertices.subarray(v * 3, v * 3 + 3), to * 3);
    });
  });
  const isFirst = firstEdges(all, places);
  const ofEdges = <T extends Int32Array | Int8Array | Float64Array>(
    type: new (length: number) => T,
    of: (s: RegionStructure) => T,
  ) =>
    concat(
      type,
      all.map((s, i) => of(s).filter((_, e) => isFirst[i][e]) as T),
    );
  const offsets = (of: (s: RegionStructure) => number) => {
    let sum = 0;
    return all.map((s) => (sum += of(s)) - of(s));
  };
  const [leafAt, boxAt] = [offsets((s) => s.leafBox.length), offsets((s) => s.boxes.length / 3)];
  const starts = (of: (s: RegionStructure) => Int32Array) => {
    const at = offsets((s) => of(s)[of(s).length - 1]);
    return Int32Array.from([0, ...all.flatMap((s, i) => [...of(s).subarray(1)].map((end) => end + at[i]))]);
  };
  return {
    marks: all[0].marks,
    boxes: concat(
      Int32Array,
      all.map((s) => s.boxes),
    ),
    leaves: concat(
      Float64Array,
      all.map((s) => s.leaves),
    ),
    leafBox: concat(
      Int32Array,
      all.map((s, i) => s.leafBox.map((box) => box + boxAt[i])),
    ),
    leafIsSettled: concat(
      Uint8Array,
      all.map((s) => s.leafIsSettled),
    ),
    leafFlatness: concat(
      Float64Array,
      all.map((s) => s.leafFlatness),
    ),
    leafNeuronStart: starts((s) => s.leafNeuronStart),
    leafNeurons: concat(
      Int32Array,
      all.map((s) => s.leafNeurons),
    ),
    vertices,
    edges: concat(
      Int32Array,
      all.map((s, i) => s.edges.filter((_, end) => isFirst[i][end >> 1]).map((v) => places[i][v])),
    ),
    edgeAxis: ofEdges(Int8Array, (s) => s.edgeAxis),
    edgeMark: ofEdges(Int32Array, (s) => s.edgeMark),
    edgeCoordinate: ofEdges(Float64Array, (s) => s.edgeCoordinate),
    edgeNeuron: ofEdges(Int32Array, (s) => s.edgeNeuron),
    polygonStart: starts((s) => s.polygonStart),
    polygonVertices: concat(
      Int32Array,
      all.map((s, i) => s.polygonVertices.map((v) => places[i][v])),
    ),
    polygonLeaf: concat(
      Int32Array,
      all.map((s, i) => s.polygonLeaf.map((leaf) => leaf + leafAt[i])),
    ),
    polygonPoints: concat(
      Float64Array,
      all.map((s) => s.polygonPoints),
    ),
    nSignWords: all[0].nSignWords,
    polygonSigns: concat(
      Uint32Array,
      all.map((s) => s.polygonSigns),
    ),
  };
}

/** Which edges of each structure no earlier one has. */
function firstEdges(all: readonly RegionStructure[], places: readonly Int32Array[]): boolean[][] {
  const seen = new Set<string>();
  return all.map(({ edges }, i) =>
    Array.from({ length: edges.length / 2 }, (_, e) => {
      const key = `${places[i][edges[2 * e]]} ${places[i][edges[2 * e + 1]]}`;
      const isFirst = !seen.has(key);
      seen.add(key);
      return isFirst;
    }),
  );
}
