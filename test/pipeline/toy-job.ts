import { NsdfFormatError } from '../../src/errors.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import type { DeriveProgress } from '../../src/options.ts';
import { NO_STOPS } from '../../src/pipeline/figures.ts';
import type { DerivedSurface, Job, JobOptions } from '../../src/pipeline/steps.ts';

/** What a toy asset does when it is derived. */
export type ToyBehaviour = 'works' | 'throws' | 'blocks' | 'aliases';

const STEP_MS = 4;
const BLOCK_MS = 1500;

/** A small asset whose weights lie in the middle of a larger buffer, as views over a file do. */
export function makeToyAsset(behaviour: ToyBehaviour = 'works', nWeights = 6): FieldAsset {
  const file = new Float32Array(nWeights + 100);
  const weights = file.subarray(50, 50 + nWeights);
  weights.forEach((_, i) => {
    weights[i] = Math.sin(i + 1);
  });
  return {
    name: behaviour,
    encoding: { kind: 'none', inputSpace: 'local' },
    layers: [{ nIn: 3, nOut: nWeights / 3, weights, bias: null }],
    output: { plus: 0, minus: null },
    isNegativeInside: true,
    valueScale: 1,
    domain: { min: [-1, -1, -1], max: [1, 1, 1] },
  };
}

function burn(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

/** Takes `resolution` steps of 4 ms, then gives "vertices" that are made from the asset's weights. */
function* toySteps(asset: FieldAsset, options: JobOptions): Generator<DeriveProgress, DerivedSurface, void> {
  const nSteps = options.resolution ?? 10;
  const weights = asset.layers[0]?.weights as Float32Array;
  for (let i = 0; i < nSteps; i++) {
    burn(asset.name === 'blocks' && i === 1 ? BLOCK_MS : STEP_MS);
    if (asset.name === 'throws' && i === 1) {
      throw new NsdfFormatError('a toy failure', {
        byteOffset: 12,
        field: '/toy',
        cause: new RangeError('why'),
      });
    }
    yield { stage: i < nSteps / 2 ? 'partition' : 'edges', fraction: (i + 1) / nSteps };
  }
  const positions = asset.name === 'aliases' ? weights : weights.map((weight) => Math.cos(weight));
  return surfaceOf(positions);
}

function surfaceOf(positions: Float32Array): DerivedSurface {
  return {
    mesh: { positions, normals: positions.slice(), indices: new Uint32Array([0, 1, 0]) },
    isEmpty: false,
    stats: {
      method: 'derived',
      nVertices: positions.length / 3,
      nTriangles: 1,
      nBoxes: 8,
      nBoxesTested: 8,
      nBoxesSurviving: 1,
      nBoxesUnsettled: 0,
      toleranceLocal: 1e-3,
      isComplete: true,
      stops: NO_STOPS,
      timeMs: {},
    },
  };
}

/** Work of known length that behaves as its asset's name says. */
export const TOY_JOB: Job = {
  steps: toySteps,
  createRunner: () => ({
    // biome-ignore lint/correctness/useYield: toys have no parts.
    *run() {
      throw new Error('a toy has no parts');
    },
  }),
  cap: function* (_asset, { mesh }) {
    yield { stage: 'simplify', fraction: 0.5 };
    return surfaceOf(Float32Array.from([...mesh.positions, 0, 0, 0]));
  },
  simplify: function* (_asset, surface, options) {
    yield { stage: 'simplify', fraction: 0.5 };
    return surfaceOf(surface.mesh.positions.slice(0, 3 * (options.maxVertices as number)));
  },
  splitNormals: function* (_asset, { mesh }) {
    yield { stage: 'normals', fraction: 0.5 };
    return surfaceOf(Float32Array.from([...mesh.positions, ...mesh.positions.subarray(0, 3)]));
  },
  // biome-ignore lint/correctness/useYield: there is nothing to give way for.
  addAttributes: function* (_asset, surface) {
    return surface;
  },
  // biome-ignore lint/correctness/useYield: there is nothing to give way for.
  keepSurface: function* (_asset, surface) {
    return { ...surface, records: { surface: Uint8Array.of(1) } };
  },
};
