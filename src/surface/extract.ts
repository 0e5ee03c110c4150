import type { CornerTable } from '../partition/corners.ts';
import type { Forest } from '../partition/forest.ts';
import { RegionNetwork } from '../partition/region-network.ts';
import { EdgeTable } from './edges.ts';
import { type CurveShape, FaceTable } from './faces.ts';
import { type FillOptions, LeafFiller } from './leaves.ts';
import { VertexTable } from './mesh-tables.ts';
import { buildRects, isLeafWithSurface, type Part, type RectTable, wholeForest } from './rects.ts';
import { StructureCollector } from './structure-collector.ts';

const RECTS_PER_YIELD = 128;
const LEAVES_PER_YIELD = 24;

export interface ExtractOptions {
  readonly shape: CurveShape;
  readonly fill: FillOptions;
  /** Whether to gather the region structure. */
  readonly hasStructure?: boolean;
  /** Default: the whole forest. */
  readonly part?: Part;
}

/** The derived surface in double precision, with the tables it was derived from. */
export interface Extraction {
  readonly vertices: VertexTable;
  readonly filler: LeafFiller;
  readonly rects: RectTable;
  readonly faces: FaceTable;
  readonly structure: StructureCollector | undefined;
  /** Vertices up to the end of each seam: the same ones, in the same order, in both parts that meet there. */
  readonly seamEnds: readonly number[];
  /** Leaves whose loops are no discs, and those beside a face on which a walk went astray, ascending: to be bisected. */
  readonly flagged: readonly number[];
}

/** Where an extraction is. */
export interface ExtractProgress {
  readonly stage: 'edges' | 'faces' | 'polygons';
  readonly fraction: number;
}

/** Derives the surface in a part of a settled forest: edges and faces, then loops, polygons, triangles. */
export function* extractSurface(
  table: CornerTable,
  forest: Forest,
  { shape, fill, hasStructure = false, part = wholeForest(forest) }: ExtractOptions,
): Generator<ExtractProgress, Extraction> {
  const rectSteps = buildRects(forest, table, part);
  let step = rectSteps.next();
  while (!step.done) {
    yield { stage: 'edges', fraction: step.value };
    step = rectSteps.next();
  }
  const { rects, seamEnds: seamRects } = step.value;
  const vertices = new VertexTable();
  const net = new RegionNetwork(table.field);
  const edges = new EdgeTable(table, vertices, net, forest.nNodes > forest.nRoots);
  const faces = new FaceTable(table, forest, rects, edges, vertices, net, shape);
  const seamEnds: number[] = [];
  for (let rect = 0; rect <= rects.nRects; rect++) {
    while (seamRects[seamEnds.length] === rect) seamEnds.push(vertices.nVertices);
    if (rect < rects.nRects) faces.decide(rect);
    if (rect % RECTS_PER_YIELD === 0) yield { stage: 'faces', fraction: rect / rects.nRects };
  }
  const structure = hasStructure ? new StructureCollector(table, forest, vertices) : undefined;
  const filler = new LeafFiller(table, forest, rects, faces, vertices, fill, structure);
  let nFilled = 0;
  for (let node = 0; node < forest.nNodes; node++) {
    if (forest.root[node] >= part.nOwn || !isLeafWithSurface(forest, node)) continue;
    filler.fill(node);
    if (nFilled++ % LEAVES_PER_YIELD === 0) yield { stage: 'polygons', fraction: node / forest.nNodes };
  }
  const flagged = flaggedLeaves(rects, faces, filler).filter((node) => forest.root[node] < part.nOwn);
  return { vertices, filler, rects, faces, structure, seamEnds, flagged };
}

function flaggedLeaves(rects: RectTable, faces: FaceTable, filler: LeafFiller): number[] {
  const flagged = new Set(filler.flagged);
  for (let rect = 0; rect < rects.nRects; rect++) {
    if (faces.isAstray[rect] === 0) continue;
    if (rects.lower[rect] >= 0) flagged.add(rects.lower[rect]);
    if (rects.upper[rect] >= 0) flagged.add(rects.upper[rect]);
  }
  return [...flagged].sort((a, b) => a - b);
}
