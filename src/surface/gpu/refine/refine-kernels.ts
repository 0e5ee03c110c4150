import type { GpuContext } from '../../../gpu/context.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { SCAN_READ_WGSL } from '../../../gpu/scan.ts';
import { LEAST_FACING } from '../../rules.ts';
import { SURFACE_WGSL } from '../counts.ts';
import { RINGS_WGSL } from '../decimate/rings.ts';
import detailWgsl from '../detail.wgsl';
import halfEdgeReadsWgsl from '../half-edge-reads.wgsl';
import halfEdgesWgsl from '../half-edges.wgsl';
import { ruleConstants } from '../kit.ts';
import { FLIP_WGSL } from '../measure.ts';
import { ROUND } from '../structs.ts';
import activeWgsl from './active.wgsl';
import claimFlipsWgsl from './claim-flips.wgsl';
import claimSplitsWgsl from './claim-splits.wgsl';
import countChildrenWgsl from './count-children.wgsl';
import countSamplesWgsl from './count-samples.wgsl';
import divisionsWgsl from './divisions.wgsl';
import emitChildrenWgsl from './emit-children.wgsl';
import emitSamplesWgsl from './emit-samples.wgsl';
import facingWgsl from './facing.wgsl';
import flipEdgesWgsl from './flip-edges.wgsl';
import forgetFlipsWgsl from './forget-flips.wgsl';
import forgetSplitsWgsl from './forget-splits.wgsl';
import markOffWgsl from './mark-off.wgsl';
import ownEdgesWgsl from './own-edges.wgsl';
import ownTrianglesWgsl from './own-triangles.wgsl';
import placeSplitsWgsl from './place-splits.wgsl';
import proposeFlipsWgsl from './propose-flips.wgsl';
import recordChildrenWgsl from './record-children.wgsl';
import refuseSplitsWgsl from './refuse-splits.wgsl';
import samplePatternWgsl from './sample-pattern.wgsl';
import seamSidesWgsl from './seam-sides.wgsl';
import takeSamplesWgsl from './take-samples.wgsl';

/** What takes the place of 1 in `isFound` where a division is refused. */
export const REFUSED = 2;

function kernelSources() {
  const head = SURFACE_WGSL + ROUND.wgsl + halfEdgesWgsl;
  const read = head + halfEdgeReadsWgsl;
  const sampled = read + samplePatternWgsl + takeSamplesWgsl + activeWgsl;
  const divided = head + divisionsWgsl;
  const refused = `const REFUSED = ${REFUSED}u;\n`;
  const facing = ruleConstants({ LEAST_FACING }) + facingWgsl;
  return {
    countSamples: [
      sampled + detailWgsl + seamSidesWgsl + countSamplesWgsl,
      'countSamples',
      'counts[N_ACTIVE]',
    ],
    emitSamples: [head + activeWgsl + SCAN_READ_WGSL + emitSamplesWgsl, 'emitSamples', 'counts[N_ACTIVE]'],
    markOff: [read + samplePatternWgsl + seamSidesWgsl + markOffWgsl, 'markOff', 'counts[N_OFF]'],
    ownEdges: [head + ownEdgesWgsl, 'ownEdge', 'counts[N_OFF]'],
    claimSplits: [read + claimSplitsWgsl, 'claimSplit', 'counts[N_SPLITS]'],
    placeSplits: [read + placeSplitsWgsl, 'placeSplit', 'counts[N_SPLITS]'],
    refuseSplits: [read + refused + facing + refuseSplitsWgsl, 'refuseSplit', 'counts[N_SPLITS]'],
    ownTriangles: [head + ownTrianglesWgsl, 'ownTriangle', 'counts[N_SPLIT_HALVES]'],
    countChildren: [divided + countChildrenWgsl, 'countChildren', 'counts[N_TOUCHED]'],
    recordChildren: [divided + SCAN_READ_WGSL + recordChildrenWgsl, 'recordChildren', 'counts[N_TOUCHED]'],
    emitChildren: [divided + emitChildrenWgsl, 'emitChildren', 'counts[N_TOUCHED]'],
    proposeFlips: [
      FLIP_WGSL + read + RINGS_WGSL + facing + proposeFlipsWgsl,
      'proposeFlip',
      'counts[N_REFUSED]',
    ],
    claimFlips: [FLIP_WGSL + head + claimFlipsWgsl, 'claimFlip', 'counts[N_REFUSED]'],
    flipEdges: [read + flipEdgesWgsl, 'flipEdge', 'counts[N_REFUSED]'],
    forgetFlips: [head + forgetFlipsWgsl, 'forgetFlip', 'counts[N_REFUSED]'],
    forgetSplits: [head + refused + forgetSplitsWgsl, 'forgetSplit', 'counts[N_SPLITS]'],
  } as const;
}

/** The kernels of a round of divisions. */
export type RefineKernels = Awaited<ReturnType<typeof compileRefine>>;

/** Compiles them, or finds them compiled. */
export function compileRefine(context: GpuContext) {
  return compileKernels(context, 'refine', kernelSources());
}
