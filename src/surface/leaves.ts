import { length3 } from '../arrays.ts';
import { type CornerTable, latticeCoordinate } from '../partition/corners.ts';
import { type Forest, NODE_SETTLED } from '../partition/forest.ts';
import { MonotoneTest } from '../partition/monotone.ts';
import { RegionNetwork } from '../partition/region-network.ts';
import { ChordSplitter } from './chords.ts';
import type { Landmarks } from './cover.ts';
import type { DetailMap } from './detail-map.ts';
import type { FaceTable } from './faces.ts';
import { LoopLinker } from './loops.ts';
import { TriangleSink, type VertexTable } from './mesh-tables.ts';
import { MissedFinder } from './missed.ts';
import { Patch } from './patch.ts';
import type { RectTable } from './rects.ts';
import { Refiner } from './refine.ts';
import type { StructureCollector } from './structure-collector.ts';
import { fan, Triangulator } from './triangulate.ts';

/** How boxes are filled. */
export interface FillOptions {
  /** Creases that bend the surface less than a share of the tolerance get no chord, unless all of them are wanted. */
  readonly detail: DetailMap;
  /** Every crease, and no vertex beside. */
  readonly isExact: boolean;
  /** Largest distance of a triangle from the zero set, as a share of the tolerance. */
  readonly refineShare: number;
}

/** Units of an unsettled leaf from which the field itself is cheaper to ask than the network reduced to the leaf. */
const CROWD = 32;

/**
 * Fills the loops of every leaf with triangles, each leaf by its own data and its faces' chains only.
 */
export class LeafFiller {
  readonly sink: TriangleSink;
  /** Settled leaves whose loops are no discs (an annulus): to be bisected. */
  readonly flagged: number[] = [];
  /** Loops that refinement ended at before the tolerance was met: with all its vertices used, with a place that it had none for. */
  nFull = 0;
  nUnrefined = 0;
  readonly #table: CornerTable;
  readonly #forest: Forest;
  private readonly vertices: VertexTable;
  private readonly options: FillOptions;
  readonly #structure: StructureCollector | undefined;
  readonly #net: RegionNetwork;
  readonly #monotone = new MonotoneTest();
  private readonly patch: Patch;
  private readonly linker: LoopLinker;
  readonly #chords: ChordSplitter;
  readonly #triangulator = new Triangulator();
  readonly #refiner: Refiner;
  readonly #missed: MissedFinder;
  readonly #ids = new Int32Array(8);
  readonly #origin = new Float64Array(3);
  private readonly size = new Float64Array(3);
  private readonly direction = new Float64Array(3);
  /** Of the current leaf, local units. */
  #creaseTolerance = 0;
  #refineTolerance = 0;
  private readonly edgesSeen = new Set<number>();

  constructor(
    table: CornerTable,
    forest: Forest,
    rects: RectTable,
    faces: FaceTable,
    vertices: VertexTable,
    options: FillOptions,
    structure?: StructureCollector,
  ) {
    this.#table = table;
    this.#structure = structure;
    this.#forest = forest;
    this.vertices = vertices;
    this.sink = new TriangleSink(vertices);
    this.options = options;
    this.#net = new RegionNetwork(table.field);
    this.patch = new Patch(this.#net);
    this.patch.isoOffset = table.isoOffset;
    this.linker = new LoopLinker(rects, faces);
    this.#chords = new ChordSplitter(this.patch);
    this.#refiner = new Refiner(this.patch);
    this.#missed = new MissedFinder(this.patch);
  }

  /** Points of the zero set that are not near the triangles of their leaf. */
  get landmarks(): Landmarks {
    return this.#missed.landmarks;
  }

  /** Fills leaf `node`. */
  fill(node: number): void {
    const { linker } = this;
    if (!linker.link(node)) {
      this.flagged.push(node);
      return;
    }
    if (linker.nLoops === 0) return;
    this.#measure(node);
    if (this.#forest.nUnits[node] === 0) this.#net.buildLinear(this.#table, this.#ids, 8);
    else this.#net.build(this.#table, this.#ids, 8);
    const isCrowded = this.#net.isOverflow || (this.#isUnsettled(node) && this.#net.nUnits > CROWD);
    // Where planes pass through a leaf the reduced network only stands for f.
    this.patch.field = isCrowded || this.#forest.hasPlanes(node) ? this.#table.field : undefined;
    for (let loop = 0; loop < linker.nLoops; loop++) this.#fillLoop(node, loop);
  }

  #isUnsettled(node: number): boolean {
    return this.#forest.state[node] !== NODE_SETTLED;
  }

  #measure(node: number): void {
    const { box } = this.#forest;
    const { lattice } = this.#table;
    for (let k = 0; k < 3; k++) {
      this.#origin[k] = latticeCoordinate(lattice, k, box[node * 6 + k]);
      this.size[k] = latticeCoordinate(lattice, k, box[node * 6 + 3 + k]) - this.#origin[k];
    }
    for (let c = 0; c < 8; c++) {
      const x = box[node * 6 + (c & 1) * 3];
      const y = box[node * 6 + 1 + ((c >> 1) & 1) * 3];
      const z = box[node * 6 + 2 + (c >> 2) * 3];
      this.#ids[c] = this.#table.find(x, y, z);
    }
    const { detail, isExact, refineShare } = this.options;
    this.#creaseTolerance = isExact ? 0 : detail.inBox(this.#origin, this.size);
    this.#refineTolerance = refineShare * this.#creaseTolerance;
  }

  #fillLoop(node: number, loop: number): void {
    const { linker } = this;
    const n = linker.start[loop + 1] - linker.start[loop];
    if (n < 3) return;
    // The loop's own normal is the best direction to see it from, where f increases along it.
    this.#loopNormal(loop);
    const isSettled = this.#forest.state[node] === NODE_SETTLED;
    const isNormal = !isSettled || this.#monotone.accepts(this.#net, this.size, this.direction);
    this.#setDirection(node, loop, isNormal);
    let isSound = this.#fillSoundly(loop);
    if (!isSound && isSettled) {
      // f may be constant along either direction on a part of the surface, which is then seen edge-on.
      this.#setDirection(node, loop, !isNormal);
      isSound = this.#fillSoundly(loop) || (this.#flattenDirection(node) && this.#fillSoundly(loop));
      if (!isSound) {
        this.#setDirection(node, loop, isNormal);
        this.#fillSoundly(loop);
      }
    }
    if (!isSound) this.flagged.push(node);
    this.sink.add(node, this.patch);
    if (this.#creaseTolerance > 0) {
      if (!isSound || !isSettled) this.#missed.find(this.#creaseTolerance);
      if (this.#net.nUnits > 0 && this.patch.field === undefined)
        this.#missed.findAlongCreases(this.#chords.sharp, this.#creaseTolerance);
    }
    this.#structure?.add(node, this.patch);
  }

  #setDirection(node: number, loop: number, isNormal: boolean): void {
    if (isNormal) this.#loopNormal(loop);
    else this.direction.set(this.#forest.direction.subarray(node * 3, node * 3 + 3));
  }

  /**
   * Looks across the leaf's shortest side, where f falls nowhere along that: two faces that are nearer to one another than chains
   * are to their curves have chains that cross, seen along the surface's normal, and parallel lines, seen like this.
   * Without it two leaves of bunny-S at `resolution 32`, 0.09 tolerances thin, had four slabs of eight derived again.
   * @returns whether that is possible.
   */
  #flattenDirection(node: number): boolean {
    const { direction, size } = this;
    const axis = size.indexOf(Math.min(size[0], size[1], size[2]));
    direction.set(this.#forest.direction.subarray(node * 3, node * 3 + 3));
    direction[axis] = 0;
    const norm = length3(direction[0], direction[1], direction[2]);
    if (norm === 0) return false;
    for (let k = 0; k < 3; k++) direction[k] /= norm;
    return this.#monotone.accepts(this.#net, size, direction);
  }

  /** Fills with chords along the creases, or without where that folds; false where that folds too. */
  #fillSoundly(loop: number): boolean {
    const { patch, options } = this;
    this.#beginPatch(loop);
    if (!(this.#loopArea() > 0)) {
      // Not a disc in this direction (an annulus, say): filled as it lies, in case it cannot be bisected.
      this.#loopNormal(loop);
      this.#beginPatch(loop);
      this.#triangulateLoop();
      return false;
    }
    const { nMissed } = this.#chords;
    this.#chords.sharp.length = 0;
    if (
      this.#net.nUnits > 0 &&
      patch.field === undefined &&
      this.#chords.split(this.#creaseTolerance) &&
      patch.polygons.length > 1
    ) {
      this.#triangulateLoop();
      if (patch.isFilledSoundly()) return this.#isComplete(nMissed);
      this.#beginPatch(loop);
      if (options.isExact) {
        this.#triangulateLoop();
        return false;
      }
    } else if (patch.polygons.length !== 1) this.#beginPatch(loop);
    this.#triangulateLoop();
    return patch.isFilledSoundly() && this.#isComplete(nMissed);
  }

  /** Whether no crease was missed since `nMissed`: the whole complex wants them all, so a box that misses one is bisected. */
  #isComplete(nMissed: number): boolean {
    return !this.options.isExact || this.#chords.nMissed === nMissed;
  }

  #beginPatch(loop: number): void {
    const { linker, patch, vertices } = this;
    patch.begin(this.#origin, this.size, this.direction);
    const polygon: number[] = [];
    for (let i = linker.start[loop]; i < linker.start[loop + 1]; i++) {
      const id = linker.vertex[i];
      const p = vertices.positions;
      const v = patch.addVertex(id, p[id * 3], p[id * 3 + 1], p[id * 3 + 2], vertices.neuron[id]);
      patch.maskA[v] = linker.sides[i];
      polygon.push(v);
    }
    patch.polygons.push(polygon);
  }

  /** Twice the signed area of the loop in the projection. */
  #loopArea(): number {
    const { patch } = this;
    let area = 0;
    for (let i = 1; i + 1 < patch.nVertices; i++) area += patch.area(0, i, i + 1);
    return area;
  }

  /** Newell's normal of the loop into `direction`. */
  #loopNormal(loop: number): void {
    const { linker, vertices, direction } = this;
    const p = vertices.positions;
    direction.fill(0);
    const [from, to] = [linker.start[loop], linker.start[loop + 1]];
    const o = linker.vertex[from] * 3;
    for (let i = from + 1; i + 1 < to; i++) {
      const a = linker.vertex[i] * 3;
      const b = linker.vertex[i + 1] * 3;
      for (let k = 0; k < 3; k++) {
        const u = (k + 1) % 3;
        const v = (k + 2) % 3;
        direction[k] +=
          (p[a + u] - p[o + u]) * (p[b + v] - p[o + v]) - (p[a + v] - p[o + v]) * (p[b + u] - p[o + u]);
      }
    }
    const norm = length3(direction[0], direction[1], direction[2]);
    if (norm === 0) direction[2] = 1;
    else for (let k = 0; k < 3; k++) direction[k] /= norm;
  }

  #triangulateLoop(): void {
    const { patch, options } = this;
    const scale = this.#deviationScale();
    for (const polygon of patch.polygons) this.#triangulator.triangulate(patch, polygon, scale);
    if (patch.polygons.length > 1 && !this.#isLocallyManifold()) this.#fanAll();
    if (options.isExact || !patch.isFilledSoundly()) return;
    if (this.#refiner.refine(this.#refineTolerance)) return;
    if (this.#refiner.isFull) this.nFull++;
    else this.nUnrefined++;
  }

  /** Fans every polygon: no diagonals, so nothing that two polygons could share by accident. */
  #fanAll(): void {
    const { patch } = this;
    patch.triangles.length = 0;
    for (const polygon of patch.polygons) {
      if (polygon.length > 3) fan(patch, polygon);
      else if (polygon.length === 3) patch.triangles.push(polygon[0], polygon[1], polygon[2]);
    }
  }

  #deviationScale(): number {
    if (!this.options.isExact) return this.#refineTolerance;
    return 1e-2 * Math.max(this.size[0], this.size[1], this.size[2]);
  }

  /** Whether no directed side is used twice by the patch's triangles. */
  #isLocallyManifold(): boolean {
    const { triangles } = this.patch;
    const { edgesSeen } = this;
    edgesSeen.clear();
    for (let t = 0; t < triangles.length; t += 3) {
      for (let k = 0; k < 3; k++) {
        const side = triangles[t + k] * 65536 + triangles[t + ((k + 1) % 3)];
        if (edgesSeen.has(side)) return false;
        edgesSeen.add(side);
      }
    }
    return true;
  }
}
