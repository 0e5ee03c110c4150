import type { GpuContext } from '../../../gpu/context.ts';
import type { ItemCount } from '../../../gpu/item-count.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { SCAN_READ_WGSL } from '../../../gpu/scan.ts';
import { LEAST_FACING } from '../../rules.ts';
import type { Casts, Placer } from '../cast.ts';
import { RINGS_WGSL } from '../decimate/decimate-stage.ts';
import detailWgsl from '../detail.wgsl';
import halfEdgeReadsWgsl from '../half-edge-reads.wgsl';
import halfEdgesWgsl from '../half-edges.wgsl';
import { type GpuDetail, type GpuMesh, ruleConstants } from '../kit.ts';
import { FLIP_WGSL, type Measurer } from '../measure.ts';
import { ROUND, SURFACE_WGSL, type SurfaceBuilder, type SurfaceCount } from '../structs.ts';
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

export interface RefineCapacities {
  readonly triangles: number;
  readonly samples: number;
  /** Edges that one round divides. */
  readonly splits: number;
}

/** One round of divisions. */
export interface RoundPlan {
  /** All triangles are looked at, not only those that the round before made. */
  readonly isAll: boolean;
  /** Nothing counts as looked at before, be it with fewer samples. Default: false. */
  readonly isRenewed?: boolean;
  /** Samples of the pattern that are taken: 4, 7, 13, 16 or 19. */
  readonly nPattern: number;
  /** Share of the tolerance by which a sample may stand off. */
  readonly share: number;
  /** What stands off by no more than this share, judged by its corners' normals, is left for later. Default: 0. */
  readonly flatShare?: number;
  /** Edges that could not be divided are flipped, where that helps. */
  readonly hasFlips: boolean;
  /** Divisions that are refused are told (`SUMMARY_AT.refused`). */
  readonly isCounted: boolean;
}

/** Compiles the stage, or finds it compiled. */
export async function createRefineStage(context: GpuContext) {
  const kernels = await compileRefine(context);
  return {
    /**
     * Adds rounds of divisions: triangles are sampled against the field itself, and of those that stand off an edge is
     * divided at a vertex on the zero set.
     * @param first the number of the first round.
     */
    add(
      builder: SurfaceBuilder,
      mesh: GpuMesh,
      detail: GpuDetail,
      placer: Placer,
      measurer: Measurer,
      plans: readonly RoundPlan[],
      first: number,
      capacities: RefineCapacities,
    ): Generator<void, void, void> {
      return builder.scopeSteps(
        (function* () {
          const rounds = new Rounds(kernels, builder, mesh, detail, placer, measurer, capacities);
          for (const [i, plan] of plans.entries()) {
            builder.scope(() => rounds.add(plan, first + i));
            yield;
          }
        })(),
      );
    },
  };
}

/** What stays from round to round. */
class Rounds {
  readonly #kernels: RefineKernels;
  readonly #builder: SurfaceBuilder;
  readonly #mesh: GpuMesh;
  readonly #detail: GpuDetail;
  readonly #placer: Placer;
  readonly #measurer: Measurer;
  readonly #capacities: RefineCapacities;
  /** By half-edge: the sample that wants it divided; the number of its division. */
  readonly #marks: GPUBuffer;
  readonly #splitIds: GPUBuffer;
  /** By triangle: who divides it; where its other parts are. */
  readonly #claims: GPUBuffer;
  readonly #childAts: GPUBuffer;
  readonly #active: GPUBuffer;
  #byActive: ItemCount | undefined;

  constructor(
    kernels: RefineKernels,
    builder: SurfaceBuilder,
    mesh: GpuMesh,
    detail: GpuDetail,
    placer: Placer,
    measurer: Measurer,
    capacities: RefineCapacities,
  ) {
    this.#kernels = kernels;
    this.#builder = builder;
    this.#mesh = mesh;
    this.#detail = detail;
    this.#placer = placer;
    this.#measurer = measurer;
    this.#capacities = capacities;
    const { triangles } = capacities;
    this.#marks = builder.create('refine.marks', triangles * 12);
    this.#splitIds = builder.create('refine.splitIds', triangles * 12);
    this.#claims = builder.create('refine.claims', triangles * 4);
    this.#childAts = builder.create('refine.childAts', triangles * 4);
    this.#active = builder.create('refine.active', triangles * 4);
    builder.clear(this.#marks, this.#splitIds, this.#claims);
  }

  add(plan: RoundPlan, r: number): void {
    const builder = this.#builder;
    builder.stage('refine');
    const counts = {
      vertices: `vertices${r}`,
      triangles: `triangles${r}`,
      nextVertices: `vertices${r + 1}`,
      nextTriangles: `triangles${r + 1}`,
    } as const satisfies Record<string, SurfaceCount>;
    const round = builder.uniform(
      'refine.round',
      ROUND.pack({
        isAll: plan.isAll ? 1 : 0,
        isCounted: plan.isCounted ? 1 : 0,
        isRenewed: plan.isRenewed ? 1 : 0,
        nPattern: plan.nPattern,
        vertices: builder.at(counts.vertices),
        triangles: builder.at(counts.triangles),
        flatShare: plan.flatShare ?? 0,
      }),
    );
    const offEdges = builder.scope(() => this.#findOff(plan, round, counts.triangles));
    const splits = builder.scope(() => this.#placeSplits(plan, round, offEdges, counts));
    builder.scope(() => this.#divide(plan, round, splits, counts));
  }

  /** Samples the triangles; the edges to divide, one for each sample that is off. */
  #findOff(plan: RoundPlan, round: GPUBuffer, nTriangles: SurfaceCount) {
    const builder = this.#builder;
    const kernels = this.#kernels;
    const { counts } = builder;
    const { triangles, vertices, normals } = this.#mesh;
    const { triangles: mostTriangles, samples: mostSamples, splits: mostSplits } = this.#capacities;
    const isSmall = !plan.isAll;
    if (plan.isAll) builder.combine('active', { [nTriangles]: 1 } as never);
    const byActive =
      plan.isAll || this.#byActive === undefined ? builder.items('active', mostTriangles) : this.#byActive;
    const nSamples = builder.create('refine.nSamples', mostTriangles * 4);
    const samples = builder.create('refine.samples', mostSamples * 4);
    const isOff = builder.create('refine.isOff', mostSamples * 4);
    const { params, tolerances } = this.#detail;
    const chosen = [this.#active, triangles, vertices, normals, tolerances, nSamples];
    builder.each(kernels.countSamples, byActive, round, params, counts, ...chosen);
    const { offsets, sums } = builder.scan('refine.samples', byActive, nSamples, {
      to: 'samples',
      peak: 'samplesPeak',
      isSmall,
    });
    const emitted = [this.#active, offsets, sums, triangles, samples];
    builder.each(kernels.emitSamples, byActive, round, counts, ...emitted);
    const bySamples = builder.items('samples', mostSamples);
    this.#measurer.samples(builder, bySamples, samples, this.#mesh, this.#detail, plan.share, isOff);
    const off = builder.list('refine.off', bySamples, isOff, {
      to: 'off',
      peak: 'offPeak',
      capacity: mostSplits * 2,
      isSmall,
    });
    const edges = builder.create('refine.offEdges', mostSplits * 8);
    const places = builder.create('refine.offPlaces', mostSplits * 8);
    const marked = [off.list, samples, triangles, vertices, this.#marks, edges, places];
    builder.each(kernels.markOff, off.items, counts, ...marked);
    return { items: off.items, edges, places };
  }

  /** Divides each edge once: its vertex on the zero set. */
  #placeSplits(
    plan: RoundPlan,
    round: GPUBuffer,
    off: { readonly items: ItemCount; readonly edges: GPUBuffer; readonly places: GPUBuffer },
    {
      vertices: nVertices,
      nextVertices,
    }: { readonly vertices: SurfaceCount; readonly nextVertices: SurfaceCount },
  ) {
    const builder = this.#builder;
    const kernels = this.#kernels;
    const { counts } = builder;
    const { triangles, vertices, normals } = this.#mesh;
    const { splits: mostSplits } = this.#capacities;
    const isOwner = builder.create('refine.isOwner', mostSplits * 8);
    builder.each(kernels.ownEdges, off.items, counts, this.#marks, off.edges, isOwner);
    const { list, items } = builder.list('refine.splits', off.items, isOwner, {
      to: 'splits',
      peak: 'splitsPeak',
      capacity: mostSplits,
      isSmall: !plan.isAll,
    });
    const edges = builder.create('refine.splitEdges', mostSplits * 8);
    const claimed = [list, off.edges, triangles, edges, this.#splitIds, this.#marks];
    builder.each(kernels.claimSplits, items, counts, ...claimed);
    const casts = this.#placer.reserve(builder, mostSplits);
    builder.each(
      kernels.placeSplits,
      items,
      round,
      counts,
      edges,
      triangles,
      normals,
      list,
      off.places,
      vertices,
      casts.orders,
    );
    this.#placer.add(builder, items, casts, this.#mesh, this.#detail, false);
    builder.combine(nextVertices, { [nVertices]: 1, splits: 1 } as never);
    return { items, edges, casts };
  }

  /** Divides the triangles beside the edges, but for those that it would turn over. */
  #divide(
    plan: RoundPlan,
    round: GPUBuffer,
    splits: { readonly items: ItemCount; readonly edges: GPUBuffer; readonly casts: Casts },
    {
      triangles: nTriangles,
      nextTriangles,
    }: { readonly triangles: SurfaceCount; readonly nextTriangles: SurfaceCount },
  ): void {
    const builder = this.#builder;
    const kernels = this.#kernels;
    const { counts } = builder;
    const { triangles, vertices, normals } = this.#mesh;
    const { triangles: mostTriangles, splits: mostSplits } = this.#capacities;
    const isSmall = !plan.isAll;
    const { isFound } = splits.casts;
    const judged = [splits.edges, triangles, vertices, normals, isFound, this.#splitIds, this.#claims];
    builder.each(kernels.refuseSplits, splits.items, round, counts, ...judged);
    builder.combine('splitHalves', { splits: 2 });
    const byHalves = builder.items('splitHalves', mostSplits * 2);
    const isOwner = builder.create('refine.isOwner', mostSplits * 8);
    builder.each(kernels.ownTriangles, byHalves, counts, splits.edges, isFound, this.#claims, isOwner);
    const { list, items } = builder.list('refine.touched', byHalves, isOwner, { to: 'touched', isSmall });
    const nChildren = builder.create('refine.nChildren', items.capacity * 4);
    const divided = builder.create('refine.divided', items.capacity * 16);
    const oldTwins = builder.create('refine.oldTwins', items.capacity * 16);
    const counted = [list, splits.edges, this.#splitIds, triangles, nChildren, divided, oldTwins];
    builder.each(kernels.countChildren, items, counts, ...counted);
    const { offsets, sums } = builder.scan('refine.children', items, nChildren, {
      base: nTriangles,
      to: nextTriangles,
      sum: 'added',
      isSmall,
    });
    const recorded = [divided, offsets, sums, vertices, triangles, this.#childAts];
    builder.each(kernels.recordChildren, items, round, counts, ...recorded);
    const emitted = [divided, oldTwins, this.#splitIds, this.#childAts, triangles, this.#active];
    builder.each(kernels.emitChildren, items, round, counts, ...emitted);
    if (plan.hasFlips) this.#flip(plan, splits);
    const forgotten = [splits.edges, isFound, this.#splitIds, this.#claims, this.#mesh.summary];
    builder.each(kernels.forgetSplits, splits.items, round, counts, ...forgotten);
    builder.combine('active', { touched: 1, added: 1, ...(plan.hasFlips && { refused: 2 }) });
    this.#byActive = builder.items('active', mostTriangles);
  }

  /** Flips edges that were not divided, where that brings them nearer to the zero set. */
  #flip(
    plan: RoundPlan,
    splits: { readonly items: ItemCount; readonly edges: GPUBuffer; readonly casts: Casts },
  ): void {
    const builder = this.#builder;
    const kernels = this.#kernels;
    const { counts } = builder;
    const { triangles, vertices, normals } = this.#mesh;
    const { list, items } = builder.list('refine.refused', splits.items, splits.casts.isFound, {
      to: 'refused',
      mask: REFUSED,
      isSmall: !plan.isAll,
    });
    const flips = builder.create('refine.flips', items.capacity * 16);
    const proposed = [list, splits.edges, triangles, vertices, normals, this.#claims, flips];
    builder.each(kernels.proposeFlips, items, counts, ...proposed);
    const off = builder.create('refine.flipsOff', items.capacity * 8);
    this.#measurer.flips(builder, items, flips, this.#mesh, this.#detail, off);
    builder.each(kernels.claimFlips, items, counts, off, flips, this.#marks);
    const flipped = [list, splits.edges, flips, this.#marks, triangles, this.#active];
    builder.each(kernels.flipEdges, items, counts, ...flipped);
    builder.each(kernels.forgetFlips, items, counts, flips, this.#marks);
  }
}

/** What takes the place of 1 in `isFound` where a division is refused. */
const REFUSED = 2;

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
type RefineKernels = Awaited<ReturnType<typeof compileRefine>>;

/** Compiles them, or finds them compiled. */
function compileRefine(context: GpuContext) {
  return compileKernels(context, 'refine', kernelSources());
}
