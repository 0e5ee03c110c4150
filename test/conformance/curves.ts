import { createCpuField } from '../../src/field/cpu-field.ts';
import { uploadPlanes } from '../../src/field/gpu/block-bounds.ts';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { GpuArena } from '../../src/gpu/arena.ts';
import { type GpuContext, guarded } from '../../src/gpu/context.ts';
import { createProgramTools, ProgramBuilder } from '../../src/gpu/program-builder.ts';
import { isoOffsetOf } from '../../src/partition/corners.ts';
import { countFirst, createCuller } from '../../src/partition/gpu/cull-program.ts';
import { createPartitioner } from '../../src/partition/gpu/forest-program.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import { extractSurface } from '../../src/surface/extract.ts';
import { estimateCapacities } from '../../src/surface/gpu/capacities.ts';
import { createEdgesStage } from '../../src/surface/gpu/edges/edges-stage.ts';
import { createFacesStage } from '../../src/surface/gpu/faces/faces-stage.ts';
import { COUNTS } from '../../src/surface/gpu/structs.ts';
import { ISO_OFFSETS, uploadDetail } from '../../src/surface/gpu/surface-program.ts';
import { runSteps } from '../partition/run-steps.ts';
import { settleField } from '../partition/settled.ts';
import { submitFrom } from './on-gpu.ts';

/** A zero curve on a rectangle. */
export interface Curve {
  /** Where it begins and ends, local units; f > 0 on its left, seen from the upper side of the rectangle. */
  readonly start: readonly number[];
  readonly end: readonly number[];
  /** The neurons whose signs change along it, in order. */
  readonly neurons: readonly number[];
}

/** Curves by rectangle: its axis and two opposite corners, in single precision. */
export type Curves = ReadonlyMap<string, readonly Curve[]>;

function keyOf(axis: number, low: readonly number[], high: readonly number[]): string {
  return [axis, ...low.map(Math.fround), ...high.map(Math.fround)].join(' ');
}

function add(curves: Map<string, Curve[]>, key: string, curve: Curve): void {
  const known = curves.get(key);
  if (known) known.push(curve);
  else curves.set(key, [curve]);
}

/** The curves that the CPU finds, with every kink. */
export function findCurvesHere(asset: FieldAsset): Curves {
  const { plan, table, forest } = settleField(asset, { exact: true });
  const { rects, faces, vertices } = runSteps(extractSurface(table, forest, plan));
  const curves = new Map<string, Curve[]>();
  const cornerAt = (corner: number) => [0, 1, 2].map((k) => table.coordinate(corner, k));
  const placeOf = (vertex: number) => [...vertices.positions.subarray(3 * vertex, 3 * vertex + 3)];
  for (let rect = 0; rect < rects.nRects; rect++) {
    const key = keyOf(
      rects.axis[rect],
      cornerAt(rects.corners[4 * rect]),
      cornerAt(rects.corners[4 * rect + 3]),
    );
    for (let c = faces.curveStart[rect]; c < faces.curveStart[rect + 1]; c++) {
      const chain = [...faces.chain.subarray(faces.chainStart[c], faces.chainStart[c + 1])];
      add(curves, key, {
        start: placeOf(chain[0]),
        end: placeOf(chain[chain.length - 1]),
        neurons: chain
          .slice(1, -1)
          .map((vertex) => vertices.neuron[vertex])
          .filter((neuron) => neuron >= 0),
      });
    }
  }
  return curves;
}

/** Kinks of a curve that there is room for. */
const N_SLOTS = 30;

/** The curves that the GPU finds, with every kink. */
export async function findCurvesThere(asset: FieldAsset, context: GpuContext): Promise<Curves> {
  const { lattice, frame } = makePlan(createCpuField(asset), { tolerance: 1e-3 });
  const field = await createGpuField(asset, context);
  const { resources } = field;
  const arena = new GpuArena(context);
  const shape = { nSlots: N_SLOTS, keepsKinks: true };
  try {
    const [tools, culler, partitioner, edgesStage, facesStage] = await Promise.all([
      createProgramTools(context),
      createCuller(resources, context),
      createPartitioner(resources, context),
      createEdgesStage(resources, context),
      createFacesStage(resources, context, shape),
    ]);
    const built = await guarded(context, 'test', () => {
      const builder = new ProgramBuilder(tools, arena, COUNTS);
      const capacities = estimateCapacities(lattice.planes.map((axis) => axis.length - 1));
      const isoOffset = ISO_OFFSETS * isoOffsetOf(asset);
      const table = uploadPlanes(resources, arena, lattice.planes);
      // So coarse that curvature asks for no points.
      const tolerances = { counts: [1, 1, 1] as const, tolerances: [1e9] };
      const detail = uploadDetail(builder, arena, {
        lattice,
        bounds: frame.bounds,
        domain: asset.domain,
        tolerances,
      });
      const blocks = culler.add(builder, table, countFirst(table.counts), capacities, isoOffset);
      const partition = runSteps(partitioner.add(builder, table, lattice, blocks, capacities, isoOffset));
      const vertices = builder.create('test.vertices', capacities.vertices * 16);
      const edges = edgesStage.add(builder, partition, detail, vertices, capacities);
      const faces = facesStage.add(builder, partition, edges, detail, vertices, capacities);
      submitFrom(table.counts, builder, arena);
      return { builder, partition, vertices, faces, capacities };
    });
    const { builder, partition, faces } = built;
    const read = (buffer: GPUBuffer) => arena.read(buffer, buffer.size, 'test');
    const counts = new Uint32Array(await arena.read(builder.counts, COUNTS.byteLength, 'test'));
    const nChains = counts[COUNTS.at.chains];
    if (nChains > built.capacities.chains) throw new Error(`${nChains} chains had no room`);
    const chains = new Uint32Array(await read(faces.chains));
    const chainPoints = new Uint32Array(await read(faces.chainPoints));
    const rectCorners = new Uint32Array(await read(partition.rectCorners));
    const points = new Float32Array(await read(partition.points));
    const vertices = new Float32Array(await read(built.vertices));
    const curves = new Map<string, Curve[]>();
    const at = (from: Float32Array, i: number) => [...from.subarray(4 * i, 4 * i + 3)];
    for (let chain = 0; chain < nChains; chain++) {
      const [start, end, packed, last] = chains.subarray(4 * chain, 4 * chain + 4);
      const rect = packed & 0x3fffffff;
      const n = last >>> 24;
      const slots = Array.from({ length: n }, (_, k) => chainPoints[2 * (chain * N_SLOTS + k) + 1]);
      const corners = rectCorners.subarray(4 * rect, 4 * rect + 4);
      add(curves, keyOf(packed >>> 30, at(points, corners[0]), at(points, corners[3])), {
        start: at(vertices, start),
        end: at(vertices, end),
        neurons: slots.filter((kink) => kink > 0).map((kink) => kink - 1),
      });
    }
    return curves;
  } finally {
    arena.dispose();
    field.dispose();
  }
}

/** How two sets of curves agree. */
export interface Agreement {
  /** Rectangles with curves that both have. */
  readonly nRects: number;
  /** Rectangles that one of them has only: what is bisected differs. */
  readonly nUnshared: number;
  readonly nCurves: number;
  /** Of those on shared rectangles: other roots, other ends joined, other neurons crossed. */
  readonly nOtherRoots: number;
  readonly nOtherPairs: number;
  readonly nOtherNeurons: number;
}

function isNear(a: readonly number[], b: readonly number[], within: number): boolean {
  return a.every((x, k) => Math.abs(x - b[k]) <= within);
}

/** Compares curve by curve. @param within distance between the roots of both, local units. */
export function compareCurves(here: Curves, there: Curves, within: number): Agreement {
  let [nRects, nCurves, nOtherRoots, nOtherPairs, nOtherNeurons] = [0, 0, 0, 0, 0];
  for (const [key, curves] of there) {
    const known = here.get(key);
    if (!known) continue;
    nRects++;
    nCurves += curves.length;
    if (known.length !== curves.length) nOtherRoots += Math.abs(known.length - curves.length);
    for (const { start, end, neurons } of curves) {
      const same = known.find((other) => isNear(other.start, start, within));
      if (!same) {
        nOtherRoots++;
        continue;
      }
      if (!isNear(same.end, end, within)) nOtherPairs++;
      else if (same.neurons.join() !== neurons.join()) nOtherNeurons++;
    }
  }
  const nUnshared = here.size + there.size - 2 * nRects;
  return { nRects, nUnshared, nCurves, nOtherRoots, nOtherPairs, nOtherNeurons };
}
