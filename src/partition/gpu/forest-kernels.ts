import type { FieldResources } from '../../field/gpu/resources.ts';
import { BLOCK_WGSL } from '../../field/gpu/wgsl-encode-boxes.ts';
import { firstLayerVectors, latticePointsCode, POINT_KEY_WGSL } from '../../field/gpu/wgsl-lattice-points.ts';
import type { GpuContext } from '../../gpu/context.ts';
import { defineCounts } from '../../gpu/counts.ts';
import { compileKernels } from '../../gpu/item-kernel.ts';
import { createKernel, GROUP_SIZE, type Kernel } from '../../gpu/kernel.ts';
import completeRectsWgsl from './complete-rects.wgsl';
import countRectsWgsl from './count-rects.wgsl';
import emitRectsWgsl from './emit-rects.wgsl';
import linkRootsWgsl from './link-roots.wgsl';
import monotoneWgsl from './monotone.wgsl';
import { PARTITION_COUNTS, PARTITION_WGSL, SETTLING } from './partition-counts.ts';
import placeNodesWgsl from './place-nodes.wgsl';
import rectsWgsl from './rects.wgsl';
import requestRootsWgsl from './request-roots.wgsl';
import settleWgsl from './settle.wgsl';
import settleRootsWgsl from './settle-roots.wgsl';
import { hasTwins, regionNetworkWgsl } from './wgsl-region-network.ts';

/** Lanes of a workgroup that settles GROUP_SIZE roots: as many as a word has bits, and as run in step on most GPUs. */
const SETTLE_LANES = 32;

/** Code, function and number of items of each kernel. */
function kernelSources(resources: FieldResources) {
  const head = defineCounts(PARTITION_COUNTS).wgsl + PARTITION_WGSL;
  const keyed = head + POINT_KEY_WGSL;
  const points = latticePointsCode(resources);
  return {
    request: [keyed + BLOCK_WGSL + requestRootsWgsl, 'requestRoot', 'counts[N_ROOTS]'],
    link: [head + BLOCK_WGSL + linkRootsWgsl, 'linkRoot', 'counts[N_ROOTS]'],
    evaluate: [points, 'evaluateNext', 'counts[fine.end] - counts[fine.first]'],
    completeRects: [head + completeRectsWgsl, 'completeRect', 'counts[N_RECTS]'],
  } as const;
}
/** The kernels of the partition. */
export type PartitionKernels = Readonly<
  Record<
    keyof ReturnType<typeof kernelSources> | 'settleRoots' | 'placeNodes' | 'countRects' | 'emitRects',
    Kernel
  >
>;

/** Compiles the partition's kernels, or finds them compiled. */
export async function compilePartition(
  resources: FieldResources,
  context: GpuContext,
): Promise<PartitionKernels> {
  const head = `${defineCounts(PARTITION_COUNTS).wgsl}${PARTITION_WGSL}${SETTLING.wgsl}const ROOTS = ${GROUP_SIZE}u;\n`;
  const byGroup = (entryPoint: string, group: number, code: string): Promise<Kernel> =>
    createKernel(context, {
      label: `partition.${entryPoint}`,
      code: `${head}const GROUP = ${group}u;\n${code}`,
      entryPoint,
    });
  const [kernels, settleRoots, placeNodes, countRects, emitRects] = await Promise.all([
    compileKernels(context, 'partition', kernelSources(resources)),
    byGroup('settleRoots', SETTLE_LANES, settleCode(resources)),
    byGroup('placeNodes', SETTLE_LANES, placeNodesWgsl),
    byGroup('countRects', GROUP_SIZE, rectsWgsl + countRectsWgsl),
    byGroup('emitRects', GROUP_SIZE, POINT_KEY_WGSL + rectsWgsl + emitRectsWgsl),
  ]);
  return { ...kernels, settleRoots, placeNodes, countRects, emitRects };
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
