import type { FieldResources } from '../../../field/gpu/resources.ts';
import type { GpuContext } from '../../../gpu/context.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { createKernel, MAX_GROUPS_X } from '../../../gpu/kernel.ts';
import type { Lattice } from '../../../partition/corners.ts';
import { COLLAPSE } from '../../rules.ts';
import detailWgsl from '../detail.wgsl';
import halfEdgeReadsWgsl from '../half-edge-reads.wgsl';
import halfEdgesWgsl from '../half-edges.wgsl';
import {
  diagonalOf,
  fieldBuffers,
  fieldCode,
  type GpuDetail,
  type GpuMesh,
  ruleConstants,
  uploadFrame,
} from '../kit.ts';
import samplePatternWgsl from '../sample-pattern.wgsl';
import { SURFACE_WGSL, type SurfaceBuilder, THINNING } from '../structs.ts';
import findSpokesWgsl from './find-spokes.wgsl';
import linkSoundWgsl from './link-sound.wgsl';
import ringsWgsl from './rings.wgsl';
import sortPagesWgsl from './sort-pages.wgsl';
import thinPagesWgsl from './thin-pages.wgsl';
import thinnedWgsl from './thinned.wgsl';
import triangleDistanceWgsl from './triangle-distance.wgsl';

/** WGSL: going around a vertex, from half-edge to half-edge that begin there. */
const RINGS_WGSL = `/// Triangles around a vertex, at most.
const MAX_RING = ${COLLAPSE.maxRing}u;
${ringsWgsl}`;

interface DecimateCapacities {
  readonly vertices: number;
  readonly triangles: number;
}

/** Edges shorter than this share of the domain's diagonal go in any case: see clean.ts. */
const LEAST_EDGE = 1e-6;
/**
 * Of the tolerance, by which what is removed may stand off what replaces it, one after the other: small ones first, as the CPU
 * takes the cheapest first.
 */
const SHARES = [0.05, 0.1, 0.2, 0.4];
/** Rounds of each, at most: one with nothing left to remove is the last. */
const MAX_ROUNDS = 32;
/**
 * How pages are laid, time after time: boxes along an axis, and the share of a page by which they are moved, so that what lay on
 * a face before is inside of a page then. They grow as the mesh gets thinner.
 */
const LAYOUTS = [
  { boxes: 8, shift: 0 },
  { boxes: 12, shift: 0.5 },
  { boxes: 16, shift: 0.25 },
  { boxes: 32, shift: 0.5 },
] as const;
/** Bytes of a `Thinned`: see thinned.wgsl. */
const THINNED_BYTES = 36;
/**
 * Lists of a page's vertices, one an invocation of its workgroup. Software runs four at a time, and takes four times as long where
 * sixteen of those wait for each other.
 */
const N_LISTS = { hardware: 32, software: 4 } as const;

function sourcesOf(resources: FieldResources, nLists: number) {
  const thinned = `${thinnedWgsl}const N_LISTS = ${nLists}u;\n`;
  const head = SURFACE_WGSL + THINNING.wgsl + halfEdgesWgsl + thinned;
  const ringed = head + halfEdgeReadsWgsl + RINGS_WGSL;
  const rules = ruleConstants({
    LEAST_COSINE: COLLAPSE.leastCosine,
    LEAST_ASPECT: COLLAPSE.leastAspect,
    SAMPLE_SHARE: COLLAPSE.sampleShare,
    SHARES,
  });
  const checked = ringed + linkSoundWgsl + detailWgsl + triangleDistanceWgsl + fieldCode(resources, 9, false);
  return {
    kernels: {
      findSpokes: [head + findSpokesWgsl, 'findSpokes', 'counts[N_MESH_TRIANGLES]'],
      sortPages: [ringed + sortPagesWgsl, 'sortVertex', 'counts[N_MESH_VERTICES]'],
    },
    thin: `${checked}${rules}${samplePatternWgsl}const N_SHARES = ${SHARES.length}u;\n${thinPagesWgsl}`,
  } as const;
}

/** Compiles the stage, or finds it compiled. @param isHardware see `compileSurface`. */
export async function createDecimateStage(
  resources: FieldResources,
  context: GpuContext,
  isHardware: boolean,
) {
  const nLists = isHardware ? N_LISTS.hardware : N_LISTS.software;
  const { kernels: sources, thin } = sourcesOf(resources, nLists);
  const [kernels, thinPages] = await Promise.all([
    compileKernels(context, 'decimate', sources),
    createKernel(context, { label: 'decimate.thinPages', code: thin, entryPoint: 'thinPages' }),
  ]);
  return {
    /**
     * Removes the vertices that the tolerance does not need, page by page.
     * @see Decimator (decimate.ts): the same checks, one vertex after the other
     */
    add(
      builder: SurfaceBuilder,
      { vertices, normals, marks, triangles }: GpuMesh,
      lattice: Lattice,
      detail: GpuDetail,
      capacities: DecimateCapacities,
    ): void {
      const { counts } = builder;
      const { vertices: nVertices, triangles: nTriangles } = capacities;
      builder.stage('decimate');
      builder.scope(() => {
        const frame = uploadFrame(builder, resources);
        const thinned = builder.create('decimate.thinned', nVertices * THINNED_BYTES);
        const byVertices = builder.items('meshVertices', nVertices);
        const byTriangles = builder.items('meshTriangles', nTriangles);
        const layouts = LAYOUTS.map((layout) => layPages(lattice, layout));
        const heads = builder.create(
          'decimate.heads',
          Math.max(...layouts.map(({ nPages }) => product(nPages))) * nLists * 4,
        );
        builder.clear(thinned);
        for (const [i, { nPages, ...layout }] of layouts.entries()) {
          const thinning = builder.uniform(
            'decimate.thinning',
            THINNING.pack({
              ...layout,
              nPages,
              mostShare: Math.max(...SHARES),
              leastEdge: LEAST_EDGE * diagonalOf(resources),
              nRounds: MAX_ROUNDS,
            }),
          );
          if (i === 0) builder.each(kernels.findSpokes, byTriangles, counts, triangles, thinned, marks);
          builder.clear(heads);
          builder.each(kernels.sortPages, byVertices, thinning, counts, triangles, vertices, thinned, heads);
          const read = [frame, thinning, detail.params, heads, vertices, normals, detail.tolerances];
          const n = product(nPages);
          const groups = [Math.min(n, MAX_GROUPS_X), Math.ceil(n / MAX_GROUPS_X)] as const;
          builder.program.dispatch(
            thinPages,
            groups,
            ...read,
            triangles,
            thinned,
            ...fieldBuffers(resources),
          );
        }
      });
    },
  };
}

const product = (counts: readonly number[]): number => counts.reduce((all, n) => all * n, 1);

/** Where pages lie: one more along each axis where they are moved. */
function layPages({ planes }: Lattice, { boxes, shift }: (typeof LAYOUTS)[number]) {
  const whole = planes.map((along) => Math.max(1, Math.ceil((along.length - 1) / boxes)));
  const sizes = planes.map((along, k) => (along[along.length - 1] - along[0]) / whole[k]);
  return {
    nPages: whole.map((n) => (shift === 0 ? n : n + 1)),
    origin: planes.map((along, k) => along[0] - shift * sizes[k]),
    perLength: sizes.map((size) => 1 / size),
  };
}
