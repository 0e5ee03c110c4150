import { GROUP_SIZE, ITEM_INDEX_WGSL } from '../../gpu/kernel.ts';
import { defineStruct } from '../../gpu/struct.ts';
import type { FieldShape, WeightPlaces } from './shape.ts';
import { backwardLines, encodeLines, encodeWgsl, forwardLines, inputGradientLines } from './wgsl-forward.ts';
import { tableWgsl } from './wgsl-table.ts';

/** The domain and its map to the encoder's input: see `DomainFrame`. */
export const FRAME = defineStruct('Frame', {
  min: 'vec3<f32>',
  nPoints: 'u32',
  max: 'vec3<f32>',
  origin: 'vec3<f32>',
  scale: 'vec3<f32>',
  top: 'vec3<f32>',
});

export interface FieldCode {
  readonly shape: FieldShape;
  readonly places: WeightPlaces;
  readonly weightSpace: string;
}

/** WGSL: the binding of the network's weights. */
export function weightBinding({ places, weightSpace }: FieldCode, binding: number): string {
  return `@group(0) @binding(${binding}) var<${weightSpace}> W: array<vec4<f32>, ${places.nVectors}>;\n`;
}

/** WGSL: the bindings of levels and table, from `first` on; nothing without a grid. */
export function tableBindings({ nLevels, isHalf }: FieldShape, first: number): string {
  if (nLevels === 0) return '';
  return `@group(0) @binding(${first}) var<uniform> levels: array<Level, ${nLevels}>;
@group(0) @binding(${first + 1}) var<storage, read> table: array<${isHalf ? 'u32' : 'f32'}>;
`;
}

/**
 * WGSL: `fieldAt(point) -> f32` and `fieldWithGradient(point) -> vec4<f32>` (gradient, value), as `CpuField` defines
 * them; `frame` has to be bound.
 */
export function fieldFunctions({ shape, places }: FieldCode, hasGradient: boolean): string {
  const nPadded = places.layers.length === 0 ? (places.lastBias - places.lastRow) * 4 : shape.nInputs;
  const body = [...encodeLines(shape, nPadded), ...forwardLines(places)].map((line) => `  ${line}`);
  const back = [...backwardLines(shape, places), ...inputGradientLines(shape)].map((line) => `  ${line}`);
  const gradient = `
fn fieldWithGradient(point: vec3<f32>) -> vec4<f32> {
  let q = clamp(point, frame.min, frame.max);
  let input = min((q - frame.origin) * frame.scale, frame.top);
  let moved = point - q;
  let distance = length(moved);
${body.join('\n')}
${back.join('\n')}
  let inside = slope * frame.scale;
  // Outside the domain f(q) + |p - q| grows along p - q on the clamped axes.
  let outward = moved / max(distance, 1e-30);
  return vec4<f32>(select(inside, outward, moved != vec3<f32>(0.0)), value + distance);
}
`;
  return `${encodeWgsl(shape)}
fn fieldAt(point: vec3<f32>) -> f32 {
  let q = clamp(point, frame.min, frame.max);
  let input = min((q - frame.origin) * frame.scale, frame.top);
${body.join('\n')}
  return value + distance(point, q);
}
${hasGradient ? gradient : ''}`;
}

/** The kernel that evaluates f, or f and its gradient, at points in local units. */
export function evaluateCode(code: FieldCode, hasGradient: boolean): string {
  return `${FRAME.wgsl}${tableWgsl(code.shape)}
@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
${hasGradient ? '@group(0) @binding(3) var<storage, read_write> gradients: array<f32>;' : ''}
${weightBinding(code, hasGradient ? 4 : 3)}${tableBindings(code.shape, hasGradient ? 5 : 4)}
${ITEM_INDEX_WGSL}${fieldFunctions(code, hasGradient)}
@compute @workgroup_size(${GROUP_SIZE})
fn evaluate(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = itemIndex(group, nGroups, local);
  if (i >= frame.nPoints) { return; }
  let point = vec3<f32>(points[i * 3u], points[i * 3u + 1u], points[i * 3u + 2u]);
${
  hasGradient
    ? `  let result = fieldWithGradient(point);
  gradients[i * 3u] = result.x;
  gradients[i * 3u + 1u] = result.y;
  gradients[i * 3u + 2u] = result.z;
  values[i] = result.w;`
    : '  values[i] = fieldAt(point);'
}
}
`;
}
