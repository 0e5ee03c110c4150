import type { FieldResources } from '../../field/gpu/resources.ts';
import { firstLayerVectors } from '../../field/gpu/wgsl-lattice-points.ts';
import monotoneWgsl from './monotone.wgsl';
import settleWgsl from './settle.wgsl';
import nodesWgsl from './settle-nodes.wgsl';
import spreadWgsl from './settle-spread.wgsl';
import { hasTwins, regionNetworkWgsl } from './wgsl-region-network.ts';

/** What a dispatch looks at: nodes as a whole, then listed ones' faces; or both at once. */
export const SETTLE_PART = { both: 0, whole: 1, faces: 2 } as const;

/** WGSL: the kernel that settles one level of the forest. @param isSpread an invocation for each region, not for each node. */
export function settleCode(
  { shape, network, weightSpace, nRowVectors }: FieldResources,
  isSpread: boolean,
): string {
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
