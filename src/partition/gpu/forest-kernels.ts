import type { FieldResources } from '../../field/gpu/resources.ts';
import { BLOCK_WGSL } from '../../field/gpu/wgsl-encode-boxes.ts';
import { firstLayerVectors, latticePointsCode, POINT_KEY_WGSL } from '../../field/gpu/wgsl-lattice-points.ts';
import type { GpuContext } from '../../gpu/context.ts';
import { defineCounts } from '../../gpu/counts.ts';
import { compileKernels } from '../../gpu/item-kernel.ts';
import { createKernel, type Kernel } from '../../gpu/kernel.ts';
import { SCAN_READ_WGSL } from '../../gpu/scan.ts';
import completeRectsWgsl from './complete-rects.wgsl';
import countRectsWgsl from './count-rects.wgsl';
import emitRectsWgsl from './emit-rects.wgsl';
import flagRectsWgsl from './flag-rects.wgsl';
import linkRootsWgsl from './link-roots.wgsl';
import monotoneWgsl from './monotone.wgsl';
import { PARTITION_COUNTS, PARTITION_WGSL, SETTLING } from './partition-counts.ts';
import placeNodesWgsl from './place-nodes.wgsl';
import rectsWgsl from './rects.wgsl';
import requestRectsWgsl from './request-rects.wgsl';
import requestRootsWgsl from './request-roots.wgsl';
import settleWgsl from './settle.wgsl';
import settleRootsWgsl from './settle-roots.wgsl';
import { hasTwins, regionNetworkWgsl } from './wgsl-region-network.ts';

/** Roots that a workgroup settles. */
export const ROOTS_PER_GROUP = 64;
/** Its lanes: as many as a word has bits, and as run in step on most GPUs. */
const LANES = 32;

/** Code, function and number of items of each kernel. */
function kernelSources(resources: FieldResources) {
  const head = defineCounts(PARTITION_COUNTS).wgsl + PARTITION_WGSL;
  const keyed = head + POINT_KEY_WGSL;
  const placed = keyed + SCAN_READ_WGSL;
  const points = latticePointsCode(resources);
  return {
    request: [keyed + BLOCK_WGSL + requestRootsWgsl, 'requestRoot', 'counts[N_ROOTS]'],
    link: [head + BLOCK_WGSL + linkRootsWgsl, 'linkRoot', 'counts[N_ROOTS]'],
    evaluate: [points, 'evaluateNext', 'counts[fine.end] - counts[fine.first]'],
    countRects: [head + rectsWgsl + countRectsWgsl, 'countRects', 'atomicLoad(&counts[N_NODES])'],
    emitRects: [placed + rectsWgsl + emitRectsWgsl, 'emitRects', 'counts[N_NODES]'],
    flagRects: [head + flagRectsWgsl, 'flagRect', 'counts[N_RECTS]'],
    requestRects: [placed + requestRectsWgsl, 'requestRect', 'counts[N_RECTS]'],
    completeRects: [head + SCAN_READ_WGSL + completeRectsWgsl, 'completeRect', 'counts[N_RECTS]'],
  } as const;
}
/** The kernels of the partition. */
export type PartitionKernels = Readonly<
  Record<keyof ReturnType<typeof kernelSources> | 'settleRoots' | 'placeNodes', Kernel>
>;

/** Compiles the partition's kernels, or finds them compiled. */
export async function compilePartition(
  resources: FieldResources,
  context: GpuContext,
): Promise<PartitionKernels> {
  const head = `${defineCounts(PARTITION_COUNTS).wgsl}${PARTITION_WGSL}${SETTLING.wgsl}
const GROUP = ${LANES}u;
const ROOTS = ${ROOTS_PER_GROUP}u;
`;
  const byGroup = (entryPoint: string, code: string): Promise<Kernel> =>
    createKernel(context, { label: `partition.${entryPoint}`, code: head + code, entryPoint });
  const [kernels, settleRoots, placeNodes] = await Promise.all([
    compileKernels(context, 'partition', kernelSources(resources)),
    byGroup('settleRoots', settleCode(resources)),
    byGroup('placeNodes', placeNodesWgsl),
  ]);
  return { ...kernels, settleRoots, placeNodes };
}

/** WGSL: the kernel that settles all roots. */
function settleCode({ shape, network, weightSpace, nRowVectors }: FieldResources): string {
  const n = firstLayerVectors(shape);
  return `
@group(0) @binding(6) var<${weightSpace}> rows: array<vec4<f32>, ${nRowVectors}>;
${regionNetworkWgsl({ shape, dim: 3, hasStoredF: false, hasTwins: hasTwins(network) })}
/// First-layer neuron j (or f, where there is none) at corner c of the root.
fn rootValue(j: u32, c: u32) -> f32 { return firstLayer[cornerIds[c] * ${n}u + (j >> 2u)][j & 3u]; }

fn loadNeuron(j: u32) {
  cutRoot(
    vec4<f32>(rootValue(j, 0u), rootValue(j, 1u), rootValue(j, 2u), rootValue(j, 3u)),
    vec4<f32>(rootValue(j, 4u), rootValue(j, 5u), rootValue(j, 6u), rootValue(j, 7u)),
  );
}
${monotoneWgsl}${settleWgsl}${settleRootsWgsl}`;
}
