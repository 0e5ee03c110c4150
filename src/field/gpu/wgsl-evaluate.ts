import { GROUP_SIZE, ITEM_INDEX_WGSL } from '../../gpu/kernel.ts';
import { defineStruct } from '../../gpu/struct.ts';
import type { FieldShape, WeightPlaces } from './shape.ts';
import {
  backwardLines,
  encodeLines,
  encodeWgsl,
  forwardLines,
  inputGradientLines,
  slopeWgsl,
} from './wgsl-forward.ts';
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
 * WGSL: `fieldAt(point) -> f32`, or with gradients `evaluateField(point, hasGradient) -> vec4<f32>` (gradient, value), as
 * `CpuField` defines them; `frame` has to be bound. Compilers write a function's whole text wherever it is called: a kernel
 * calls one of them, at one place.
 */
export function fieldFunctions({ shape, places }: FieldCode, hasGradient: boolean): string {
  const nPadded = places.layers.length === 0 ? (places.lastBias - places.lastRow) * 4 : shape.nInputs;
  const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join('\n');
  const forward = indented([...encodeLines(shape, nPadded), ...forwardLines(places)]);
  const backward = indented([...backwardLines(shape, places), ...inputGradientLines(shape)]);
  const head = `  let q = clamp(point, frame.min, frame.max);
  let input = min((q - frame.origin) * frame.scale, frame.top);
${forward}`;
  if (!hasGradient) {
    return `${encodeWgsl(shape)}
fn fieldAt(point: vec3<f32>) -> f32 {
${head}
  return value + distance(point, q);
}
`;
  }
  return `${encodeWgsl(shape)}${slopeWgsl(shape)}
/// Without its gradient, that is not what stands for it.
fn evaluateField(point: vec3<f32>, hasGradient: bool) -> vec4<f32> {
${head}
  let moved = point - q;
  let distance = length(moved);
${backward}
  let inside = slope * frame.scale;
  // Outside the domain f(q) + |p - q| grows along p - q on the clamped axes.
  let outward = moved / max(distance, 1e-30);
  return vec4<f32>(select(inside, outward, moved != vec3<f32>(0.0)), value + distance);
}
`;
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
    ? `  let result = evaluateField(point, true);
  gradients[i * 3u] = result.x;
  gradients[i * 3u + 1u] = result.y;
  gradients[i * 3u + 2u] = result.z;
  values[i] = result.w;`
    : '  values[i] = fieldAt(point);'
}
}
`;
}
