import type { CornerTable } from '../partition/corners.ts';
import type { Forest } from '../partition/forest.ts';
import { RegionNetwork } from '../partition/region-network.ts';
import type { Settler } from '../partition/settle.ts';
import { EdgeTable } from './edges.ts';
import { type CurveShape, FaceTable } from './faces.ts';
import { type FillOptions, LeafFiller } from './leaves.ts';
import { buildRects, isLeafWithSurface, type RectTable } from './rects.ts';
import { StructureCollector } from './structure-collector.ts';
import { VertexTable } from './vertices.ts';

/** Bisect-and-derive-again rounds for boxes whose loops turn out to be no discs. */
const MAX_ROUNDS = 3;
const RECTS_PER_YIELD = 128;
const LEAVES_PER_YIELD = 24;

export interface ExtractOptions {
  readonly shape: CurveShape;
  readonly fill: FillOptions;
  /** Whether to gather the region structure. */
  readonly hasStructure?: boolean;
  /** Called when all boxes are settled, before their loops have any bisected again: the forest does not depend on tolerances yet. */
  readonly onSettled?: () => Generator<number, void>;
}

/** The derived surface in double precision, with the tables it was derived from. */
export interface Extraction {
  readonly vertices: VertexTable;
  readonly filler: LeafFiller;
  readonly rects: RectTable;
  readonly faces: FaceTable;
  readonly structure: StructureCollector | undefined;
  /** Leaves that were to be bisected again when the rounds of that ended. */
  readonly nUnsound: number;
}

/** Where an extraction is. */
export interface ExtractProgress {
  readonly stage: 'settle' | 'edges' | 'faces' | 'polygons';
  readonly fraction: number;
}

/** Settles the forest's boxes and derives the surface in them: edges and faces, then loops, polygons, triangles. */
export function* extractSurface(
  table: CornerTable,
  forest: Forest,
  settler: Settler,
  options: ExtractOptions,
): Generator<ExtractProgress, Extraction> {
  for (let round = 0; ; round++) {
    for (const fraction of settler.run()) yield { stage: 'settle', fraction };
    if (round === 0 && options.onSettled)
      for (const _ of options.onSettled()) yield { stage: 'settle', fraction: 1 };
    const derived = yield* deriveOnce(table, forest, options);
    const flagged = flaggedLeaves(derived.rects, derived.faces, derived.filler);
    const isLast = round + 1 === MAX_ROUNDS;
    if (isLast || !splitFlagged(settler, flagged)) return { ...derived, nUnsound: flagged.length };
  }
}

function* deriveOnce(
  table: CornerTable,
  forest: Forest,
  options: ExtractOptions,
): Generator<ExtractProgress, Omit<Extraction, 'nUnsound'>> {
  const rectSteps = buildRects(forest, table);
  let step = rectSteps.next();
  while (!step.done) {
    yield { stage: 'edges', fraction: step.value };
    step = rectSteps.next();
  }
  const rects = step.value;
  const vertices = new VertexTable();
  const net = new RegionNetwork(table.field);
  const edges = new EdgeTable(table, vertices, net, forest.nNodes > forest.nRoots);
  const faces = new FaceTable(table, forest, rects, edges, vertices, net, options.shape);
  for (let rect = 0; rect < rects.nRects; rect++) {
    faces.decide(rect);
    if (rect % RECTS_PER_YIELD === 0) yield { stage: 'faces', fraction: rect / rects.nRects };
  }
  const structure = options.hasStructure ? new StructureCollector(table, forest, vertices) : undefined;
  const filler = new LeafFiller(table, forest, rects, faces, vertices, options.fill, structure);
  let nFilled = 0;
  for (let node = 0; node < forest.nNodes; node++) {
    if (!isLeafWithSurface(forest, node)) continue;
    filler.fill(node);
    if (nFilled++ % LEAVES_PER_YIELD === 0) yield { stage: 'polygons', fraction: node / forest.nNodes };
  }
  return { vertices, filler, rects, faces, structure };
}

/** Leaves whose loops are no discs, and those beside a face on which a walk went astray; ascending. */
function flaggedLeaves(rects: RectTable, faces: FaceTable, filler: LeafFiller): number[] {
  const flagged = new Set(filler.flagged);
  for (let rect = 0; rect < rects.nRects; rect++) {
    if (faces.isAstray[rect] === 0) continue;
    if (rects.lower[rect] >= 0) flagged.add(rects.lower[rect]);
    if (rects.upper[rect] >= 0) flagged.add(rects.upper[rect]);
  }
  return [...flagged].sort((a, b) => a - b);
}

function splitFlagged(settler: Settler, flagged: readonly number[]): boolean {
  let isAny = false;
  for (const node of flagged) if (settler.resplit(node)) isAny = true;
  return isAny;
}
