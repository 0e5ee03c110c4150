import type { FieldResources } from '../../../field/gpu/resources.ts';
import type { GpuContext } from '../../../gpu/context.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { SCAN_READ_WGSL } from '../../../gpu/scan.ts';
import { LEAST_FACING, SAMPLING } from '../../rules.ts';
import { SURFACE_WGSL } from '../counts.ts';
import { RINGS_WGSL } from '../decimate/rings.ts';
import detailWgsl from '../detail.wgsl';
import halfEdgeReadsWgsl from '../half-edge-reads.wgsl';
import halfEdgesWgsl from '../half-edges.wgsl';
import { fieldCode, ruleConstants } from '../kit.ts';
import { ROUND } from '../structs.ts';
import waysWgsl from '../ways.wgsl';
import activeWgsl from './active.wgsl';
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
import measureWgsl from './measure.wgsl';
import measureFlipsWgsl from './measure-flips.wgsl';
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

function kernelSources(resources: FieldResources) {
  const head = SURFACE_WGSL + ROUND.wgsl + halfEdgesWgsl;
  const read = head + halfEdgeReadsWgsl;
  const sampled = read + samplePatternWgsl + takeSamplesWgsl + activeWgsl;
  const divided = head + divisionsWgsl;
  const refused = `const REFUSED = ${REFUSED}u;\n`;
  const flips = 'const BETTER = 0x80000000u;\n';
  const rules = ruleConstants({
    LEAST_COSINE: SAMPLING.leastCosine,
    LOOK: SAMPLING.look,
  });
  const measured = head + samplePatternWgsl + detailWgsl + waysWgsl + rules + fieldCode(resources, 10, true);
  const facing = ruleConstants({ LEAST_FACING }) + facingWgsl;
  return {
    countSamples: [
      sampled + detailWgsl + seamSidesWgsl + countSamplesWgsl,
      'countSamples',
      'counts[N_ACTIVE]',
    ],
    emitSamples: [head + activeWgsl + SCAN_READ_WGSL + emitSamplesWgsl, 'emitSamples', 'counts[N_ACTIVE]'],
    measure: [measured + measureWgsl, 'measureSample', 'counts[N_SAMPLES]'],
    markOff: [read + samplePatternWgsl + seamSidesWgsl + markOffWgsl, 'markOff', 'counts[N_OFF]'],
    ownEdges: [head + ownEdgesWgsl, 'ownEdge', 'counts[N_OFF]'],
    claimSplits: [read + claimSplitsWgsl, 'claimSplit', 'counts[N_SPLITS]'],
    placeSplits: [read + placeSplitsWgsl, 'placeSplit', 'counts[N_SPLITS]'],
    refuseSplits: [read + refused + facing + refuseSplitsWgsl, 'refuseSplit', 'counts[N_SPLITS]'],
    ownTriangles: [head + ownTrianglesWgsl, 'ownTriangle', 'counts[N_SPLIT_HALVES]'],
    countChildren: [divided + countChildrenWgsl, 'countChildren', 'counts[N_TOUCHED]'],
    recordChildren: [divided + SCAN_READ_WGSL + recordChildrenWgsl, 'recordChildren', 'counts[N_TOUCHED]'],
    emitChildren: [divided + emitChildrenWgsl, 'emitChildren', 'counts[N_TOUCHED]'],
    proposeFlips: [flips + read + RINGS_WGSL + facing + proposeFlipsWgsl, 'proposeFlip', 'counts[N_REFUSED]'],
    measureFlips: [
      flips + head + fieldCode(resources, 5, false) + measureFlipsWgsl,
      'measureFlip',
      'counts[N_REFUSED]',
    ],
    flipEdges: [read + flipEdgesWgsl, 'flipEdge', 'counts[N_REFUSED]'],
    forgetFlips: [head + forgetFlipsWgsl, 'forgetFlip', 'counts[N_REFUSED]'],
    forgetSplits: [head + refused + forgetSplitsWgsl, 'forgetSplit', 'counts[N_SPLITS]'],
  } as const;
}

/** The kernels of a round of divisions. */
export type RefineKernels = Awaited<ReturnType<typeof compileRefine>>;

/** Compiles them, or finds them compiled. */
export function compileRefine(resources: FieldResources, context: GpuContext) {
  return compileKernels(context, 'refine', kernelSources(resources));
}
