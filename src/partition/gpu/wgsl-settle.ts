import type { FieldResources } from '../../field/gpu/resources.ts';
import { firstLayerVectors } from '../../field/gpu/wgsl-lattice-points.ts';
import monotoneWgsl from './monotone.wgsl';
import settleWgsl from './settle.wgsl';
import boxesWgsl from './settle-boxes.wgsl';
import faceLoopWgsl from './settle-face-loop.wgsl';
import facesWgsl from './settle-faces.wgsl';
import nodesWgsl from './settle-nodes.wgsl';
import spreadWgsl from './settle-spread.wgsl';
import wholeWgsl from './settle-whole.wgsl';
import { hasTwins, regionNetworkWgsl } from './wgsl-region-network.ts';

const PARTS = {
  boxes: wholeWgsl + boxesWgsl,
  faces: faceLoopWgsl + facesWgsl,
  nodes: wholeWgsl + faceLoopWgsl + nodesWgsl,
  spread: wholeWgsl + faceLoopWgsl + spreadWgsl,
} as const;

/** The kernels that settle one level of the forest: its boxes, then faces of some of them; or both at once. */
export function settleCode(
  { shape, network, weightSpace, nRowVectors }: FieldResources,
  part: keyof typeof PARTS,
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
${monotoneWgsl}${settleWgsl}${PARTS[part]}`;
}
