import { type CornerTable, latticeCoordinate } from '../partition/corners.ts';
import { type Forest, NODE_SETTLED } from '../partition/forest.ts';
import { NumberMap } from '../partition/number-map.ts';
import { innerPoint } from './inner-point.ts';
import { N_SIDE_BITS, type Patch } from './patch.ts';
import { distanceFromBestPlane } from './plane-fit.ts';
import { type RegionStructure, signVectors } from './structure.ts';
import type { VertexTable } from './vertices.ts';

/** Factor that packs two vertex ids in one key below 2^53. */
const PAIR = 2 ** 26;

/** The structure of a part, and which of the part's vertices its own are: ascending, i32[structure.vertices.length / 3]. */
export interface PartStructure {
  readonly structure: RegionStructure;
  readonly ids: Int32Array;
}

/** What made an edge of the skeleton. */
interface EdgeMaker {
  readonly axis: number;
  readonly mark: number;
  readonly coordinate: number;
  readonly neuron: number;
}

/** Gathers the {@link RegionStructure} while leaves are filled, from the polygons of their patches. */
export class StructureCollector {
  readonly #table: CornerTable;
  readonly #forest: Forest;
  readonly #vertices: VertexTable;
  /** Leaf nodes; the last one is still being added to. */
  readonly #nodes: number[] = [];
  readonly #flatness: number[] = [];
  readonly #neuronStart: number[] = [0];
  readonly #neurons: number[] = [];
  readonly #edgeIndex = new NumberMap(1 << 12);
  readonly #edges: number[] = [];
  readonly #makers: EdgeMaker[] = [];
  readonly #polygonStart: number[] = [0];
  readonly #polygonVertices: number[] = [];
  readonly #polygonLeaf: number[] = [];
  readonly #points: number[] = [];

  constructor(table: CornerTable, forest: Forest, vertices: VertexTable) {
    this.#table = table;
    this.#forest = forest;
    this.#vertices = vertices;
  }

  /** Adds one piece of surface in leaf `node`, its vertices emitted already. Pieces of one leaf follow each other. */
  add(node: number, patch: Patch): void {
    if (this.#nodes.at(-1) !== node) this.#beginLeaf(node, patch);
    const leaf = this.#nodes.length - 1;
    const off = distanceFromBestPlane(patch.x, patch.y, patch.z, patch.nVertices);
    this.#flatness[leaf] = Math.max(this.#flatness[leaf], off);
    for (const polygon of patch.polygons) {
      if (polygon.length < 3) continue;
      for (let k = 0; k < polygon.length; k++) {
        this.#polygonVertices.push(patch.id[polygon[k]]);
        this.#addEdge(node, patch, polygon[k], polygon[(k + 1) % polygon.length]);
      }
      this.#polygonStart.push(this.#polygonVertices.length);
      this.#polygonLeaf.push(leaf);
      innerPoint(patch, polygon, this.#points, this.#points.length);
    }
  }

  #beginLeaf(node: number, { net }: Patch): void {
    this.#nodes.push(node);
    this.#flatness.push(0);
    const neurons = new Set([...net.unitNeuron.subarray(0, net.nUnits), ...net.twinNeurons]);
    this.#neurons.push(...[...neurons].sort((a, b) => a - b));
    this.#neuronStart.push(this.#neurons.length);
  }

  #addEdge(node: number, patch: Patch, a: number, b: number): void {
    const low = Math.min(patch.id[a], patch.id[b]);
    const high = Math.max(patch.id[a], patch.id[b]);
    const edge = this.#makers.length;
    if (this.#edgeIndex.getOrSet(low * PAIR + high, edge) !== edge) return;
    this.#edges.push(low, high);
    this.#makers.push(this.#makerOf(node, patch, a, b));
  }

  /** Two neighbours on a polygon share either the side of the box that their edge lies on, or its chord. */
  #makerOf(node: number, patch: Patch, a: number, b: number): EdgeMaker {
    const maskA = patch.maskA[a] & patch.maskA[b];
    const maskB = patch.maskB[a] & patch.maskB[b];
    const side = lowestBit(maskA & ((1 << N_SIDE_BITS) - 1));
    if (side >= 0) return this.#planeMaker(node, side >> 1, side & 1);
    const chord = maskA === 0 ? 31 - N_SIDE_BITS + lowestBit(maskB) : lowestBit(maskA) - N_SIDE_BITS;
    return { axis: -1, mark: -1, coordinate: Number.NaN, neuron: patch.chordNeuron[chord] };
  }

  #planeMaker(node: number, axis: number, side: number): EdgeMaker {
    const { lattice } = this.#table;
    const at = this.#forest.box[node * 6 + axis + side * 3];
    const base = at >> lattice.subBits;
    const isMark = base << lattice.subBits === at;
    return { axis, mark: isMark ? base : -1, coordinate: latticeCoordinate(lattice, axis, at), neuron: -1 };
  }

  /**
   * The structure; yields the fraction done. The vertices' positions are read here: to be called before they are moved.
   * @param boxes i32[nBoxes * 3], the forest's roots, as far as they are this part's
   */
  *build(boxes: Int32Array): Generator<number, PartStructure, void> {
    const table = this.#table;
    const forest = this.#forest;
    const nodes = this.#nodes;
    const makers = this.#makers;
    const { numbers, positions, ids } = this.#compactVertices();
    const points = Float64Array.from(this.#points);
    const polygonSigns = yield* signVectors(table.field, points);
    const { planes } = table.lattice;
    const structure = {
      marks: [planes[0].slice(), planes[1].slice(), planes[2].slice()] as const,
      boxes: boxes.slice(),
      leaves: Float64Array.from(nodes.flatMap((node) => this.#corners(node))),
      leafBox: Int32Array.from(nodes, (node) => forest.root[node]),
      leafIsSettled: Uint8Array.from(nodes, (node) => (forest.state[node] === NODE_SETTLED ? 1 : 0)),
      leafFlatness: Float64Array.from(this.#flatness),
      leafNeuronStart: Int32Array.from(this.#neuronStart),
      leafNeurons: Int32Array.from(this.#neurons),
      vertices: positions,
      edges: Int32Array.from(this.#edges, (v) => numbers[v]),
      edgeAxis: Int8Array.from(makers, ({ axis }) => axis),
      edgeMark: Int32Array.from(makers, ({ mark }) => mark),
      edgeCoordinate: Float64Array.from(makers, ({ coordinate }) => coordinate),
      edgeNeuron: Int32Array.from(makers, ({ neuron }) => neuron),
      polygonStart: Int32Array.from(this.#polygonStart),
      polygonVertices: Int32Array.from(this.#polygonVertices, (v) => numbers[v]),
      polygonLeaf: Int32Array.from(this.#polygonLeaf),
      polygonPoints: points,
      nSignWords: Math.ceil(table.field.nPreActivations / 32),
      polygonSigns,
    };
    return { structure, ids };
  }

  /** The mesh's vertices that polygons use, renumbered in order: refinement's and fans' are left out. */
  #compactVertices(): { numbers: Int32Array; positions: Float64Array; ids: Int32Array } {
    const numbers = new Int32Array(this.#vertices.nVertices).fill(-1);
    for (const v of this.#polygonVertices) numbers[v] = 0;
    const ids = Int32Array.from(numbers.keys()).filter((v) => numbers[v] === 0);
    const positions = new Float64Array(ids.length * 3);
    ids.forEach((v, i) => {
      numbers[v] = i;
      positions.set(this.#vertices.positions.subarray(v * 3, v * 3 + 3), i * 3);
    });
    return { numbers, positions, ids };
  }

  /** Min xyz, max xyz. */
  #corners(node: number): number[] {
    return [0, 1, 2, 3, 4, 5].map((k) =>
      latticeCoordinate(this.#table.lattice, k % 3, this.#forest.box[node * 6 + k]),
    );
  }
}

/** Number of the lowest bit set, or -1. */
function lowestBit(mask: number): number {
  return mask === 0 ? -1 : 31 - Math.clz32(mask & -mask);
}
