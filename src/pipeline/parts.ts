import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { CornerTable, type Lattice, rootCoordinate } from '../partition/corners.ts';
import { type BlockRange, type Candidates, type CullResult, cullBoxes } from '../partition/cull.ts';
import { Forest, type ForestData, forestData, forestOf, gatherTrees } from '../partition/forest.ts';
import { Settler } from '../partition/settle.ts';
import { type ExtractProgress, extractSurface } from '../surface/extract.ts';
import type { PartSurface } from '../surface/join-parts.ts';
import type { MeshResults, MeshTask } from '../surface/mesh-tasks.ts';
import type { Part } from '../surface/rects.ts';
import { thinPiece } from '../surface/thin-pieces.ts';
import { measureTriangles } from '../surface/triangle-sampler.ts';
import { makePlan, type Plan } from './plan.ts';
import type { JobOptions } from './steps.ts';

/**
 * The parts of a derivation that need nothing of each other: they run one after the other, or in several workers at once.
 * What they are given and what they give can be posted, and depends on nothing but the field and the job's options.
 */
export type PartTask = BoxTask | MeshTask;

/** Parts that are cut by the boxes of the lattice. */
type BoxTask = CullTask | SettleTask | FillTask;

interface OnLattice {
  /** The lattice's, see `chooseRootBits`. */
  readonly rootBits: number;
}

/** Finds the boxes in a part of the blocks, or among some candidates. */
export interface CullTask extends OnLattice {
  readonly kind: 'cull';
  readonly within: BlockRange | Candidates;
}

/** Settles the boxes of a slab. */
export interface SettleTask extends OnLattice {
  readonly kind: 'settle';
  readonly slab: Slab;
  /** Boxes of the search, i32[n * 3], to begin with; or what was settled before, and the leaves that have to be bisected. */
  readonly from: Int32Array | { readonly trees: ForestData; readonly flagged: Int32Array };
  /** Boxes of all slabs: they share one limit on nodes. */
  readonly nBoxesInAll: number;
}

/** Derives the surface in a slab. */
export interface FillTask extends OnLattice {
  readonly kind: 'fill';
  readonly slab: Slab;
  readonly trees: ForestData;
  /** Of the slabs before and after it the layer beside the seam. */
  readonly below: ForestData | undefined;
  readonly above: ForestData | undefined;
}

/** Layers [from, to) of the search's boxes across an axis, and which of the two faces are seams. */
export interface Slab {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly hasBelow: boolean;
  readonly hasAbove: boolean;
}

/** A slab's settled boxes; of those that its neighbours have to know copies. */
export interface SettledSlab {
  readonly trees: ForestData;
  readonly first: ForestData | undefined;
  readonly last: ForestData | undefined;
}

/** A slab's surface. */
export interface FilledSlab extends PartSurface {
  /** Leaves, by their number in `trees`, that have to be bisected before it is sound. */
  readonly flagged: Int32Array;
  /** See `DeriveStops`. */
  readonly nBoxesFull: number;
  readonly nBoxesUnrefined: number;
  /** Milliseconds of this thread. */
  readonly timeMs: Readonly<Record<ExtractProgress['stage'], number>>;
}

/** What each kind of part gives. */
export interface PartResults extends MeshResults {
  readonly cull: CullResult;
  readonly settle: SettledSlab;
  readonly fill: FilledSlab;
}

export type PartResult = PartResults[keyof PartResults];

/** Runs parts of one job, on one thread. */
export class PartRunner {
  readonly #field: CpuField;
  readonly #plan: Plan;
  readonly #hasStructure: boolean;
  /** The table of the part before: room for tens of thousands of corners, which the next one needs again. */
  #spare: CornerTable | undefined;

  constructor(asset: FieldAsset, options: JobOptions) {
    this.#field = createCpuField(asset);
    this.#plan = makePlan(this.#field, options);
    this.#hasStructure = options.structure === true;
  }

  /** Yields the fraction done, after a few milliseconds each. */
  run(task: PartTask): Generator<number, PartResult, void> {
    switch (task.kind) {
      case 'cull':
        return this.#cull(task);
      case 'settle':
        return this.#settle(task);
      case 'fill':
        return this.#fill(task);
      case 'thin':
        return thinPiece(this.#field, task);
      case 'measure':
        return measureTriangles(this.#field, task);
    }
  }

  #lattice({ rootBits }: OnLattice): Lattice {
    return { ...this.#plan.lattice, rootBits };
  }

  /** An empty table, to be handed back as the spare one by whoever is done with it. */
  #takeTable(lattice: Lattice): CornerTable {
    const table = this.#spare;
    this.#spare = undefined;
    if (table?.lattice.rootBits !== lattice.rootBits) return new CornerTable(this.#field, lattice);
    table.clear();
    return table;
  }

  *#cull(task: CullTask): Generator<number, CullResult, void> {
    const lattice = this.#lattice(task);
    const table = this.#takeTable(lattice);
    const result = yield* cullBoxes(this.#field, lattice, table, task.within);
    this.#spare = table;
    return result;
  }

  *#settle(task: SettleTask): Generator<number, SettledSlab, void> {
    const { slab, from, nBoxesInAll } = task;
    const lattice = this.#lattice(task);
    const table = this.#takeTable(lattice);
    const isNew = from instanceof Int32Array;
    const forest = isNew ? new Forest(lattice, from) : forestOf(lattice, from.trees);
    // What has to be bisected again is bisected down to the field's own boxes.
    const allowance = isNew ? this.#plan.allowance : undefined;
    const settler = new Settler(table, forest, allowance, nBoxesInAll);
    yield* settler.run();
    if (!isNew) {
      for (const node of from.flagged) settler.resplit(node);
      yield* settler.run();
    }
    this.#spare = table;
    return settledSlab(forest, lattice, slab);
  }

  *#fill(task: FillTask): Generator<number, FilledSlab, void> {
    const { slab, trees, below, above } = task;
    const { shape, fill } = this.#plan;
    const lattice = this.#lattice(task);
    const table = this.#takeTable(lattice);
    const own = forestOf(lattice, trees);
    const around = [below, above].flatMap((data) => (data ? [{ forest: forestOf(lattice, data) }] : []));
    const forest = around.length === 0 ? own : gatherTrees(lattice, [{ forest: own }, ...around]);
    // Every corner of a box has to be there before edges are looked at: it tells which of them are divided.
    yield* new Settler(table, forest).run();
    const part: Part = { nOwn: own.nRoots, axis: slab.axis, seams: seamsOf(slab, lattice) };
    const steps = extractSurface(table, forest, { shape, fill, part, hasStructure: this.#hasStructure });
    const timeMs = { edges: 0, faces: 0, polygons: 0 };
    let since = performance.now();
    let step = steps.next();
    while (!step.done) {
      const { stage, fraction } = step.value;
      const now = performance.now();
      timeMs[stage] += now - since;
      since = now;
      yield SHARE_BEFORE[stage] + SHARE[stage] * fraction;
      step = steps.next();
    }
    const { vertices, filler, faces, structure, seamEnds, flagged } = step.value;
    const { sink, landmarks } = filler;
    const n = vertices.nVertices;
    this.#spare = table;
    return {
      positions: vertices.positions.slice(0, n * 3),
      normals: withLength(sink.normals, n * 3),
      slopes: withLength(sink.slopes, n * 2),
      indices: sink.indices.slice(0, sink.nTriangles * 3),
      seamEnds,
      landmarks: landmarks.positions.slice(0, landmarks.n * 3),
      landmarksNear: landmarks.near.slice(0, landmarks.n),
      unsound: Int32Array.from([...faces.unsound, ...sink.unsound]),
      ...(structure && { structure: yield* structure.build(trees.boxes) }),
      flagged: ownNumbers(forest, own.nRoots, flagged),
      nBoxesFull: filler.nFull,
      nBoxesUnrefined: filler.nUnrefined,
      timeMs,
    };
  }
}

/** Shares of a slab's work, for progress only. */
const SHARE = { edges: 0.1, faces: 0.3, polygons: 0.6 } as const;
const SHARE_BEFORE = { edges: 0, faces: SHARE.edges, polygons: SHARE.edges + SHARE.faces } as const;

/** What a slab's forest comes to, for itself and for its neighbours. */
export function settledSlab(forest: Forest, lattice: Lattice, slab: Slab): SettledSlab {
  const layer = (at: number): ForestData => {
    const low = rootCoordinate(lattice, slab.axis, at);
    const roots = [...Array(forest.nRoots).keys()].filter((root) => forest.box[root * 6 + slab.axis] === low);
    return forestData(gatherTrees(lattice, [{ forest, roots }]), lattice);
  };
  return {
    trees: forestData(gatherTrees(lattice, [{ forest }]), lattice),
    first: slab.hasBelow ? layer(slab.from) : undefined,
    last: slab.hasAbove ? layer(slab.to - 1) : undefined,
  };
}

function seamsOf({ axis, from, to, hasBelow, hasAbove }: Slab, lattice: Lattice): number[] {
  const planes = [...(hasBelow ? [from] : []), ...(hasAbove ? [to] : [])];
  return planes.map((layer) => rootCoordinate(lattice, axis, layer));
}

/** The numbers that nodes of a slab have without its neighbours' trees: breadth-first, too, so the order is the same. */
function ownNumbers(forest: Forest, nOwn: number, nodes: readonly number[]): Int32Array {
  const wanted = new Set(nodes);
  const numbers: number[] = [];
  let own = 0;
  for (let node = 0; node < forest.nNodes; node++) {
    if (forest.root[node] >= nOwn) continue;
    if (wanted.has(node)) numbers.push(own);
    own++;
  }
  return Int32Array.from(numbers);
}

/** Sums, of which vertices without a triangle may have none yet. */
function withLength(sums: Float64Array, length: number): Float64Array {
  const copy = new Float64Array(length);
  copy.set(sums.subarray(0, length));
  return copy;
}
