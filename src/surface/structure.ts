import type { CpuField } from '../field/cpu-field.ts';

/**
 * The region structure that a mesh was derived from: the network's trilinear boxes and, on the zero set, the polygons
 * between grid planes and neurons' creases, with the sign vector of the hidden neurons on each.
 *
 * With `exact: true` it is the whole polyhedral complex on the zero set before triangulation: every polygon lies in one
 * box and on one side of every neuron (but for boxes that could not be settled, and creases that come and go by one side
 * of a box, as few do). Otherwise it is coarsened: creases that bend the surface by less than the
 * tolerance are left out or moved a little, so a polygon may reach over some of them. `maxVertices` and `creaseAngle`
 * don't change it.
 *
 * Coordinates are local units, in double precision. Neurons are numbered through all hidden layers, first layer first.
 * @see Kim 2024 (trilinear regions); Berzins 2023 (skeleton, sign vectors)
 */
export interface RegionStructure {
  /** The base planes along each axis, ascending: the grid's marks; a uniform lattice where the field has no grid. */
  readonly marks: readonly [Float64Array, Float64Array, Float64Array];
  /**
   * Boxes that may hold surface: i32[nBoxes * 3]. Box (i, j, k) reaches from marks[0][i], marks[1][j], marks[2][k] to the
   * next marks.
   */
  readonly boxes: Int32Array;
  /** Boxes that do hold surface, after bisection: f64[nLeaves * 6], min xyz, max xyz. */
  readonly leaves: Float64Array;
  /** Row of `boxes` that each leaf is a part of: i32[nLeaves]. */
  readonly leafBox: Int32Array;
  /** 1 where f was found to increase along some direction throughout the leaf: u8[nLeaves]. */
  readonly leafIsSettled: Uint8Array;
  /**
   * How far each leaf is from flat: the largest distance of the surface's vertices in it from their least-squares plane
   * (of each piece of surface from its own plane, where there are several): f64[nLeaves]. It is zero where the zero set
   * in the leaf is planar, as it becomes under the eikonal constraint.
   * Not the flatness error of Kim 2024, theorem 4.5: that is `measureQuality`'s.
   */
  readonly leafFlatness: Float64Array;
  /** Neurons that may change sign in leaf l, ascending: leafNeurons[leafNeuronStart[l] ... leafNeuronStart[l + 1]). */
  readonly leafNeuronStart: Int32Array;
  readonly leafNeurons: Int32Array;
  /** Vertices of the skeleton: f64[nVertices * 3]. */
  readonly vertices: Float64Array;
  /** Edges of the skeleton, pairs of vertices, lower first: i32[nEdges * 2]. */
  readonly edges: Int32Array;
  /** Axis that the edge's plane is orthogonal to, or -1 for an edge on a crease: i8[nEdges]. */
  readonly edgeAxis: Int8Array;
  /** Index of that plane in marks[axis], or -1 for a plane that bisects a box, or for a crease: i32[nEdges]. */
  readonly edgeMark: Int32Array;
  /** Coordinate of that plane, or NaN for a crease: f64[nEdges]. */
  readonly edgeCoordinate: Float64Array;
  /** Neuron whose zero set made the edge, or -1 for an edge on a plane: i32[nEdges]. */
  readonly edgeNeuron: Int32Array;
  /**
   * Vertices of polygon p, counter-clockwise seen from f > 0: polygonVertices[polygonStart[p] ... polygonStart[p + 1]).
   */
  readonly polygonStart: Int32Array;
  readonly polygonVertices: Int32Array;
  /** Leaf of each polygon: i32[nPolygons]. */
  readonly polygonLeaf: Int32Array;
  /** A point well inside each polygon, on the zero set unless that passes the polygon outside its leaf: f64[nPolygons * 3]. */
  readonly polygonPoints: Float64Array;
  /** 32-bit words of one sign vector: the number of hidden neurons / 32, rounded up. */
  readonly nSignWords: number;
  /** Sign vectors at `polygonPoints`: u32[nPolygons * nSignWords]; bit n % 32 of word n / 32 is set where neuron n >= 0. */
  readonly polygonSigns: Uint32Array;
}

/** Points evaluated between two yields: about 4 ms. */
const POINTS_PER_YIELD = 2048;

/**
 * Sign vectors of the hidden neurons at points; yields the fraction done.
 * @param points f64[n * 3]
 * @returns u32[n * nWords], see {@link RegionStructure.polygonSigns}
 */
export function* signVectors(field: CpuField, points: Float64Array): Generator<number, Uint32Array, void> {
  const n = points.length / 3;
  const nNeurons = field.nPreActivations;
  const nWords = Math.ceil(nNeurons / 32);
  const signs = new Uint32Array(n * nWords);
  const values = new Float64Array(Math.min(n, POINTS_PER_YIELD) * (nNeurons + 1));
  for (let first = 0; first < n; first += POINTS_PER_YIELD) {
    const count = Math.min(POINTS_PER_YIELD, n - first);
    field.preActivations(points.subarray(first * 3, (first + count) * 3), values, count);
    for (let p = 0; p < count; p++) {
      const row = p * (nNeurons + 1);
      const word = (first + p) * nWords;
      for (let j = 0; j < nNeurons; j++) if (values[row + j] >= 0) signs[word + (j >> 5)] |= 1 << (j & 31);
    }
    yield (first + count) / n;
  }
  return signs;
}
