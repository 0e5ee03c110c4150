import { GROUP_SIZE, ITEM_INDEX_WGSL } from '../../gpu/kernel.ts';
import { defineStruct } from '../../gpu/struct.ts';
import type { FieldShape, LayerPlace, WeightPlaces } from './shape.ts';
import { chunksOf, chunkWidth, component, tableWgsl, vectorType } from './wgsl-table.ts';

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

/** Lines of WGSL that compute the network at one point: `x0, x1, ...` are the inputs, `z{l}_{g}` vec4 of pre-activations. */
export function forwardLines(places: WeightPlaces): string[] {
  const lines: string[] = [];
  places.layers.forEach((layer, l) => {
    const input = (i: number): string => (l === 0 ? `x${i}` : `h${l - 1}_${i >> 2}.${'xyzw'[i & 3]}`);
    for (let g = 0; g * 4 < layer.nOut; g++) {
      lines.push(`let z${l}_${g} = ${groupSum(layer, g, input)};`);
      lines.push(`let h${l}_${g} = max(z${l}_${g}, vec4<f32>(0.0));`);
    }
  });
  lines.push(`let value = ${lastSum(places)};`);
  return lines;
}

/** bias + Σ weights * input of four rows. */
function groupSum({ nIn, weights, bias }: LayerPlace, g: number, input: (i: number) => string): string {
  const terms = Array.from({ length: nIn }, (_, i) => `W[${weights + g * nIn + i}] * ${input(i)}`);
  return [`W[${bias + g}]`, ...terms].join(' + ');
}

function lastSum({ layers, lastRow, lastBias }: WeightPlaces): string {
  const last = layers.length - 1;
  const bias = `W[${lastBias}].x`;
  if (last >= 0) {
    const nGroups = Math.ceil(layers[last].nOut / 4);
    const terms = Array.from({ length: nGroups }, (_, g) => `dot(W[${lastRow + g}], h${last}_${g})`);
    return [bias, ...terms].join(' + ');
  }
  const nInputs = (lastBias - lastRow) * 4;
  const terms = Array.from(
    { length: nInputs },
    (_, i) => `W[${lastRow + (i >> 2)}].${'xyzw'[i & 3]} * x${i}`,
  );
  return [bias, ...terms].join(' + ');
}

/** Lines that go back through the network: `g0, g1, ...` become the slopes of f by its inputs. relu'(0) = 1. */
function backwardLines({ nInputs }: FieldShape, places: WeightPlaces): string[] {
  const { layers, lastRow } = places;
  const lines: string[] = [];
  const zero = 'vec4<f32>(0.0)';
  let slope = (g: number): string => `W[${lastRow + g}]`;
  for (let l = layers.length - 1; l >= 0; l--) {
    const { nIn, nOut, weights } = layers[l];
    const nGroups = Math.ceil(nOut / 4);
    for (let g = 0; g < nGroups; g++) {
      lines.push(`let s${l}_${g} = select(${zero}, ${slope(g)}, z${l}_${g} >= ${zero});`);
    }
    const column = (i: number): string =>
      i >= nIn
        ? '0.0'
        : Array.from({ length: nGroups }, (_, g) => `dot(W[${weights + g * nIn + i}], s${l}_${g})`).join(
            ' + ',
          );
    if (l === 0) {
      for (let i = 0; i < nInputs; i++) lines.push(`let g${i} = ${column(i)};`);
      return lines;
    }
    for (let g = 0; g * 4 < nIn; g++) {
      const parts = [0, 1, 2, 3].map((k) => column(g * 4 + k));
      lines.push(`let t${l}_${g} = vec4<f32>(${parts.join(', ')});`);
    }
    slope = (g) => `t${l}_${g}`;
  }
  for (let i = 0; i < nInputs; i++) lines.push(`let g${i} = W[${lastRow + (i >> 2)}].${'xyzw'[i & 3]};`);
  return lines;
}

/** Lines that encode the point `input`: `x0, x1, ...`. */
function encodeLines(shape: FieldShape, nPadded: number): string[] {
  const lines =
    shape.nLevels === 0
      ? [0, 1, 2].map((k) => `let x${k} = input.${'xyz'[k]};`)
      : levelLines(shape, (first) => `encode(level, input, ${first}u)`);
  for (let i = shape.nInputs; i < nPadded; i++) lines.push(`let x${i} = 0.0;`);
  return lines;
}

/**
 * Lines that encode a point level by level: `x0, x1, ...`. A loop, since its text is what compilers work on: unrolled, four
 * levels of a bunny took twice as long to compile and just as long to run (SwiftShader).
 * @param chunk what a chunk's features are, an expression of `level`, `l` and the chunk's first feature.
 * @param before lines of the loop's body before them.
 */
export function levelLines(
  shape: FieldShape,
  chunk: (first: number) => string,
  before: readonly string[] = [],
): string[] {
  const { nFeatures, nInputs } = shape;
  const width = chunkWidth(shape);
  const chunks = chunksOf(shape).flatMap((first) => [
    `  let e${first} = ${chunk(first)};`,
    ...Array.from(
      { length: width },
      (_, k) => `  features[l * ${nFeatures}u + ${first + k}u] = ${component(`e${first}`, width, k)};`,
    ),
  ]);
  return [
    `var features: array<f32, ${nInputs}>;`,
    `for (var l = 0u; l < ${shape.nLevels}u; l++) {`,
    '  let level = levels[l];',
    ...before.map((line) => `  ${line}`),
    ...chunks,
    '}',
    ...Array.from({ length: nInputs }, (_, i) => `let x${i} = features[${i}];`),
  ];
}

/** Lines that add up the gradient by the encoder's input, where `hasGradient` says so: `slope: vec3<f32>`. */
function inputGradientLines(shape: FieldShape): string[] {
  const { nLevels, nFeatures, nInputs } = shape;
  if (nLevels === 0) return ['let slope = vec3<f32>(g0, g1, g2);'];
  const width = chunkWidth(shape);
  const all = Array.from({ length: nInputs }, (_, i) => `g${i}`).join(', ');
  const sums = chunksOf(shape).map((first) => {
    const parts = Array.from({ length: width }, (_, k) => `lambdas[l * ${nFeatures}u + ${first + k}u]`);
    const lambda = width === 1 ? parts[0] : `${vectorType(width)}(${parts.join(', ')})`;
    return `  slope += slopeOf(level, input, ${first}u, ${lambda});`;
  });
  return [
    `var lambdas = array<f32, ${nInputs}>(${all});`,
    'var slope = vec3<f32>(0.0);',
    // No branch around the loop: software runs both sides of one, but leaves a loop that nobody is in.
    `for (var l = select(${nLevels}u, 0u, hasGradient); l < ${nLevels}u; l++) {`,
    '  let level = levels[l];',
    ...sums,
    '}',
  ];
}

/**
 * WGSL: interpolation in a level's cell.
 * @see Müller et al. 2022, sec. 3
 */
function encodeWgsl(shape: FieldShape): string {
  if (shape.nLevels === 0) return '';
  return `
fn encode(level: Level, input: vec3<f32>, first: u32) -> ${vectorType(chunkWidth(shape))} {
  let position = input * level.scale + level.offset;
  let cell = floor(position);
  return interpolate(readCell(level, vec3<u32>(vec3<i32>(cell)), first), position - cell);
}
`;
}

/** WGSL: the gradient of that. */
function slopeWgsl(shape: FieldShape): string {
  if (shape.nLevels === 0) return '';
  const width = chunkWidth(shape);
  const type = vectorType(width);
  const inner = (a: string): string => (width === 1 ? `lambda * ${a}` : `dot(lambda, ${a})`);
  return `
/// The gradient of lambda · features, trilinear in the cell.
fn slopeOf(level: Level, input: vec3<f32>, first: u32, lambda: ${type}) -> vec3<f32> {
  let position = input * level.scale + level.offset;
  let cell = floor(position);
  let t = position - cell;
  let v = readCell(level, vec3<u32>(vec3<i32>(cell)), first);
  let s0 = ${inner('v.c0')};
  let s1 = ${inner('v.c1')};
  let s2 = ${inner('v.c2')};
  let s3 = ${inner('v.c3')};
  let s4 = ${inner('v.c4')};
  let s5 = ${inner('v.c5')};
  let s6 = ${inner('v.c6')};
  let s7 = ${inner('v.c7')};
  let x0 = s1 - s0 + (s3 - s2 - (s1 - s0)) * t.y;
  let x1 = s5 - s4 + (s7 - s6 - (s5 - s4)) * t.y;
  let y0 = s2 - s0 + (s3 - s1 - (s2 - s0)) * t.x;
  let y1 = s6 - s4 + (s7 - s5 - (s6 - s4)) * t.x;
  let z0 = s4 - s0 + (s5 - s1 - (s4 - s0)) * t.x;
  let z1 = s6 - s2 + (s7 - s3 - (s6 - s2)) * t.x;
  return level.scale * vec3<f32>(x0 + (x1 - x0) * t.z, y0 + (y1 - y0) * t.z, z0 + (z1 - z0) * t.y);
}
`;
}
