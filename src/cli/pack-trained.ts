import { NsdfArgumentError } from '../errors.ts';
import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { roundField } from '../format/encode-field.ts';
import type { WeightType } from '../format/extension.ts';
import { createRandom } from '../surface/check-random.ts';
import { sampleMesh } from '../surface/distance-samples.ts';
import { distancesToZeroSet } from '../surface/distance-to-zero-set.ts';
import { type Triangles, TriangleTree } from '../surface/triangle-tree.ts';
import { pointsOf } from '../train/compare-fields.ts';
import { packField } from '../train/index.ts';
import { distancesTo } from './compressed-meshes.ts';
import { boundingInput } from './measure-distance.ts';

/** A trained field as small as keeps its error. */
export interface PackedTraining {
  readonly asset: FieldAsset;
  readonly dtype: WeightType;
  /** Why it is not compact, where it is not. */
  readonly dtypeReason?: string;
}

/**
 * How far rounding may move the surface on average at first, as a share of the field's own error: 2 to 4 % more of it where the two are
 * independent (bunny, gear, multi), up to 8 % where they are not (gear on small grids): it is measured.
 */
const FIRST_SHARE = 0.2;
/** What may be added to the error, by the measurement here: other points, and meshes, differ from it by a hundredth or two. A twentieth is promised. */
const ADDED = 0.03;
/** And where that is less, this share of the domain's side: rounding adds something to an error of 0. */
const LEAST = 1e-6;
/** Points either way. */
const N_POINTS = 8192;
/** Tries, and bounds on the ratio of one share to the next. */
const MAX_TRIES = 5;
const RATIOS = [0.3, 0.85] as const;

/**
 * Makes a trained field compact so that it is at most a twentieth farther from its input, both ways: that is measured, before and after,
 * and less is rounded until it holds. Where nothing compact does, it is stored in half precision, or in single.
 * @param errorLocal the field's own error, as training told it.
 */
export async function packTrained(
  trained: FieldAsset,
  inputs: readonly Triangles[],
  errorLocal: number,
): Promise<PackedTraining> {
  const { domain } = trained;
  const side = domain.max[0] - domain.min[0];
  const { input } = boundingInput(inputs, domain);
  const tree = new TriangleTree(input);
  const fromInput = sampleMesh(input, N_POINTS, createRandom(1));
  /** Of the surface itself: a mesh of it has an error of its own, which may be larger than the field's. */
  const measure = (asset: FieldAsset): readonly number[] => {
    const field = createCpuField(asset);
    const toInput = distancesTo(tree, pointsOf(field, asset, N_POINTS, 2)).mean;
    const distances = distancesToZeroSet(field, fromInput, domain, createRandom(3));
    return [
      toInput,
      distances.reduce((sum, d) => sum + Math.min(d, side), 0) / Math.max(1, distances.length),
    ];
  };
  const before = measure(trained);
  /** The largest of what is added, over what may be; NaN where there is no surface to measure. */
  const excess = (asset: FieldAsset): number =>
    Math.max(...measure(asset).map((x, i) => (x - before[i]) / Math.max(ADDED * before[i], LEAST * side)));
  let share = FIRST_SHARE;
  for (let i = 0; i < MAX_TRIES; i++) {
    const packed = await packAt(trained, Math.max(share * errorLocal, LEAST * side));
    if (packed === undefined) break;
    const found = excess(packed.asset);
    if (!(found > 1)) return packed;
    share *= Math.min(RATIOS[1], Math.max(RATIOS[0], 0.9 / found));
  }
  const dtypeReason = 'compact adds more than a twentieth to its error';
  const isNear = !(excess(roundField(trained, 'f16')) > 1);
  return { asset: trained, dtype: isNear ? 'f16' : 'f32', dtypeReason };
}

/** Undefined where no step is fine enough. */
async function packAt(trained: FieldAsset, error: number): Promise<PackedTraining | undefined> {
  try {
    const { asset, dtype } = await packField(trained, { error });
    return { asset, dtype };
  } catch (cause) {
    if (cause instanceof NsdfArgumentError && cause.argument === 'error') return undefined;
    throw cause;
  }
}
