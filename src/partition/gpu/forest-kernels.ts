import type { FieldResources } from '../../field/gpu/resources.ts';
import { BLOCK_WGSL } from '../../field/gpu/wgsl-encode-boxes.ts';
import { firstLayerVectors, latticePointsCode, POINT_KEY_WGSL } from '../../field/gpu/wgsl-lattice-points.ts';
import type { GpuContext } from '../../gpu/context.ts';
import { defineCounts } from '../../gpu/counts.ts';
import { GROUPS_WGSL } from '../../gpu/item-count.ts';
import { compileKernels } from '../../gpu/item-kernel.ts';
import { createKernel, type Kernel } from '../../gpu/kernel.ts';
import { SCAN_READ_WGSL } from '../../gpu/scan.ts';
import bisectWgsl from './bisect.wgsl';
import bisectNodeWgsl from './bisect-node.wgsl';
import bisectSmallWgsl from './bisect-small.wgsl';
import completeRectsWgsl from './complete-rects.wgsl';
import countRectsWgsl from './count-rects.wgsl';
import emitRectsWgsl from './emit-rects.wgsl';
import flagRectsWgsl from './flag-rects.wgsl';
import linkRootsWgsl from './link-roots.wgsl';
import monotoneWgsl from './monotone.wgsl';
import { LEVEL, PARTITION_COUNTS, PARTITION_WGSL } from './partition-counts.ts';
import rectsWgsl from './rects.wgsl';
import requestRectsWgsl from './request-rects.wgsl';
import requestRootsWgsl from './request-roots.wgsl';
import settleWgsl from './settle.wgsl';
import nodesWgsl from './settle-nodes.wgsl';
import spreadWgsl from './settle-spread.wgsl';
import { hasTwins, regionNetworkWgsl } from './wgsl-region-network.ts';

/** WGSL: the nodes of a level. */
function leveledHead(): string {
  return defineCounts(PARTITION_COUNTS).wgsl + PARTITION_WGSL + LEVEL.wgsl;
}

const PENDING = 'counts[level.pending]';
const SETTLING = 'select(counts[level.pending], counts[N_FACED], level.part == PART_FACES)';

/** Code, function and number of items of each kernel. */
function kernelSources(resources: FieldResources) {
  const head = defineCounts(PARTITION_COUNTS).wgsl + PARTITION_WGSL;
  const keyed = head + POINT_KEY_WGSL;
  const placed = keyed + SCAN_READ_WGSL;
  const leveled = leveledHead();
  const points = latticePointsCode(resources);
  return {
    request: [keyed + BLOCK_WGSL + requestRootsWgsl, 'requestRoot', 'counts[N_ROOTS]'],
    link: [head + BLOCK_WGSL + linkRootsWgsl, 'linkRoot', 'counts[N_ROOTS]'],
    evaluate: [points, 'evaluateNext', 'counts[fine.end] - counts[fine.first]'],
    settleNodes: [leveled + settleCode(resources, false), 'settleNode', SETTLING],
    bisect: [leveled + SCAN_READ_WGSL + bisectNodeWgsl + bisectWgsl, 'bisectNode', PENDING],
    countRects: [head + rectsWgsl + countRectsWgsl, 'countRects', 'atomicLoad(&counts[N_NODES])'],
    emitRects: [placed + rectsWgsl + emitRectsWgsl, 'emitRects', 'counts[N_NODES]'],
    flagRects: [head + flagRectsWgsl, 'flagRect', 'counts[N_RECTS]'],
    requestRects: [placed + requestRectsWgsl, 'requestRect', 'counts[N_RECTS]'],
    completeRects: [head + SCAN_READ_WGSL + completeRectsWgsl, 'completeRect', 'counts[N_RECTS]'],
  } as const;
}
/** The kernels of the partition. */
export type PartitionKernels = Readonly<
  Record<keyof ReturnType<typeof kernelSources> | 'bisectSmall', Kernel> & {
    /** For levels of few nodes, where there are many processors. */
    settleSpread?: Kernel;
  }
>;

/**
 * Compiles the partition's kernels, or finds them compiled.
 * @param isSpread a region of a small level has an invocation of its own: with many processors faster, with few slower.
 */
export async function compilePartition(
  resources: FieldResources,
  context: GpuContext,
  isSpread: boolean,
): Promise<PartitionKernels> {
  const [kernels, settle, bisectSmall] = await Promise.all([
    compileKernels(context, 'partition', kernelSources(resources)),
    isSpread ? createSettleSpread(resources, context) : {},
    createKernel(context, {
      label: 'partition.bisectSmall',
      code: leveledHead() + GROUPS_WGSL + bisectNodeWgsl + bisectSmallWgsl,
      entryPoint: 'bisectSmall',
    }),
  ]);
  return { ...kernels, ...settle, bisectSmall };
}

async function createSettleSpread(resources: FieldResources, context: GpuContext) {
  const code = leveledHead() + settleCode(resources, true);
  const label = 'partition.settleSpread';
  return { settleSpread: await createKernel(context, { label, code, entryPoint: 'settleSpread' }) };
}

/** What a dispatch looks at: nodes as a whole, then listed ones' faces; or both at once. */
export const SETTLE_PART = { both: 0, whole: 1, faces: 2 } as const;

/** WGSL: the kernel that settles one level of the forest. @param isSpread an invocation for each region, not for each node. */
function settleCode({ shape, network, weightSpace, nRowVectors }: FieldResources, isSpread: boolean): string {
  const n = firstLayerVectors(shape);
  return `
@group(0) @binding(6) var<uniform> level: Level;
@group(0) @binding(7) var<${weightSpace}> rows: array<vec4<f32>, ${nRowVectors}>;
${regionNetworkWgsl({ shape, dim: 3, hasStoredF: false, hasTwins: hasTwins(network) })}
/// First-layer neuron j (or f, where there is none) at corner c of the root.
fn rootValue(j: u32, c: u32) -> f32 { return firstLayer[cornerIds[c] * ${n}u + (j >> 2u)][j & 3u]; }

fn loadNeuron(j: u32) {
  cutRoot(
    vec4<f32>(rootValue(j, 0u), rootValue(j, 1u), rootValue(j, 2u), rootValue(j, 3u)),
    vec4<f32>(rootValue(j, 4u), rootValue(j, 5u), rootValue(j, 6u), rootValue(j, 7u)),
  );
}
const PART_WHOLE = ${SETTLE_PART.whole}u;
const PART_FACES = ${SETTLE_PART.faces}u;
${monotoneWgsl}${settleWgsl}${isSpread ? spreadWgsl : nodesWgsl}`;
}
