import { MAX_FEATURE } from './resources.ts';
import { type FieldShape, placeRows } from './shape.ts';
import { encodeBlockWgsl, INPUT_VECTORS, UNIT_ROUNDING } from './wgsl-encode-boxes.ts';

/**
 * WGSL: `boundBlock(block, size) -> vec2<f32>`, a certified interval of f over a block of boxes, in single precision but
 * holding what the CPU's evaluation in double precision gives. Bound by whoever includes it: what `encodeBlockWgsl` needs, and
 * `rows`, the network's weights (see `packRows`).
 *
 * The mathematics is that of the CPU (bound.ts): every pre-activation of the first layer is W (T ± radius) + b with T
 * trilinear, so it is extreme at the corners (two vec4 a neuron); deeper ones lie between functions given by their corner
 * values, and in an interval; f is bounded backward through the ReLUs' lines. Hidden layers are not bounded backward, so
 * that networks of more than three of them are bounded loosely.
 *
 * Loops run over a layer's neurons and are unrolled over what a neuron reads. Unrolled altogether the kernel of an
 * 8-16-16-1 network took 9 to 23 s to compile on SwiftShader.
 *
 * Rounding: a sum of n products loses at most n + 1 units (2^-24) of the sum of its terms' sizes, in whatever order the
 * compiler takes it (Higham 2002, sec. 3.1; WGSL may reassociate). So every neuron carries its `size`, the sum of the
 * sizes of everything that is added up in it, and is widened by {@link forwardError} units of that. Backward, each step is
 * an exact inequality with the coefficients *as computed*, plus what their rounding takes: a coefficient Σ_k c_k w_kj is
 * off by n units of Σ |c_k w_kj|, which meets relu_j <= size; summed over j that is Σ_k |c_k| size_k:
 * {@link backwardError}. A slope that is rounded up by 2e-6 (32 units; division loses 3) keeps its line above the ReLU.
 */
export function boundWgsl(shape: FieldShape): string {
  const { widths } = shape;
  const nHidden = widths.length;
  const lines = [
    ...inputLines(shape),
    `let isTooLarge = !(${upTo(shape.nInputs).reduce((most, i) => `max(${most}, q${i})`, '0.0')} < ${MAX_FEATURE.toFixed(1)});`,
    'if (isTooLarge) { return vec2<f32>(-3e38, 3e38); }',
    ...upTo(shape.nInputs).map((i) => `var g${i} = vec2<f32>(0.0);`),
    'var constant = vec2<f32>(0.0);',
    'var lost = 1e-30;',
    'var middleSum = 0.0;',
    'var radiusSum = 0.0;',
    'var reachSum = 0.0;',
    ...widths.slice(0, -1).flatMap((width, l) => arrayLines(width, l)),
    ...widths.flatMap((_, l) => [
      `for (var j = 0u; j < ${widths[l]}u; j++) {`,
      ...indent(forwardLines(shape, l)),
      ...indent(l < nHidden - 1 ? storeLines(l) : streamLines(shape, l)),
      '}',
    ]),
    ...upTo(Math.max(0, nHidden - 1))
      .reverse()
      .flatMap((l) => [
        `for (var j = 0u; j < ${widths[l]}u; j++) {`,
        ...indent(rowLines(shape, l)),
        `  let line = k${l}[j];`,
        `  let c = v${l}[j];`,
        '  let up = line.x;',
        '  let low = line.y;',
        '  let anchor = line.z;',
        '  let size = line.w;',
        ...indent(passLines(shape, l)),
        '}',
      ]),
    ...outputLines(shape),
  ];
  return `
fn least(a: vec4<f32>, b: vec4<f32>) -> f32 {
  let m = min(a, b);
  return min(min(m.x, m.y), min(m.z, m.w));
}
fn most(a: vec4<f32>, b: vec4<f32>) -> f32 {
  let m = max(a, b);
  return max(max(m.x, m.y), max(m.z, m.w));
}

fn boundBlock(block: vec3<u32>, size: u32) -> vec2<f32> {
  encodeBlock(block, size);
  return boundInputs();
}

fn boundInputs() -> vec2<f32> {
${indent(lines).join('\n')}
}
${encodeBlockWgsl(shape)}`;
}

/** A factor in units of rounding, as WGSL. The 1.02 pays for the products of errors. */
function units(n: number): string {
  return (1.02 * n * UNIT_ROUNDING).toPrecision(8);
}

/** 20 units for the inputs themselves: three interpolations (6 each) and positions that round to half a unit of a cell. */
function forwardError(shape: FieldShape, l: number): string {
  const nIn = l === 0 ? shape.nInputs : shape.widths[l - 1];
  return units(nIn + 16 + (l === 0 ? 20 : 0));
}

/** Sums over the layer, the inputs where it is the first, and the constant with two terms a neuron, each <= 2 sizes. */
function backwardError(shape: FieldShape, l: number): string {
  const nConstant = 2 * (2 * total(shape) + 1);
  return units(shape.widths[l] + nConstant + 8 + (l === 0 ? shape.nInputs + 24 : 0));
}

const total = ({ widths }: FieldShape): number => widths.reduce((sum, width) => sum + width, 0);
const LANES = 'xyzw';
const sum = (terms: readonly string[]): string => terms.join(' + ');
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

/** `t{i}a`, `t{i}b` (corners 0-3, 4-7), `q{i}` (size), `r{i}` (radius) of every input, as `encodeBlock` left them. */
function inputLines({ nInputs }: FieldShape): string[] {
  return upTo(nInputs).flatMap((i) => [
    `let t${i}a = inputs[${i * INPUT_VECTORS}u];`,
    `let t${i}b = inputs[${i * INPUT_VECTORS + 1}u];`,
    `let more${i} = inputs[${i * INPUT_VECTORS + 2}u];`,
    `let q${i} = more${i}.x;`,
    `let r${i} = more${i}.y;`,
  ]);
}

/** A layer's ReLUs: functions c ± s between which they lie; middle, radius, reach; lines; coefficients of f and -f. */
function arrayLines(width: number, l: number): string[] {
  return [
    ...['ca', 'cb', 'sa', 'sb', 'm', 'k'].map((name) => `var ${name}${l}: array<vec4<f32>, ${width}>;`),
    `var v${l}: array<vec2<f32>, ${width}>;`,
  ];
}

/** `p0, p1, ...`: the weights of row j; `b`: its bias. */
function rowLines(shape: FieldShape, l: number): string[] {
  const { first, stride } = placeRows(shape)[l];
  return [
    `let row = ${first}u + j * ${stride}u;`,
    ...upTo(stride - 1).map((g) => `let p${g} = rows[row + ${g}u];`),
    `let end = rows[row + ${stride - 1}u];`,
    'let b = end.x;',
  ];
}

const weight = (i: number): string => `p${i >> 2}.${LANES[i & 3]}`;

/** `za`, `zb` ± `wa`, `wb`: neuron j at the corners; `lo`, `hi`: its interval; `size`; its lines. */
function forwardLines(shape: FieldShape, l: number): string[] {
  const nIn = l === 0 ? shape.nInputs : shape.widths[l - 1];
  const inputs = upTo(nIn);
  const before = l - 1;
  const error = forwardError(shape, l);
  const corners = (half: string): string =>
    `let z${half} = vec4<f32>(b) + ${sum(inputs.map((i) => `${weight(i)} * ${l === 0 ? `t${i}${half}` : `c${half}${before}[${i}]`}`))};`;
  const sizes = (of: (i: number) => string): string => sum(inputs.map((i) => `abs(${weight(i)}) * ${of(i)}`));
  const isFirst = l === 0;
  return [
    ...rowLines(shape, l),
    corners('a'),
    corners('b'),
    ...(isFirst
      ? [
          `let size = abs(b) + ${sizes((i) => `q${i}`)};`,
          `let wide = (${sizes((i) => `r${i}`)}) * 1.0001 + size * ${error} + 1e-30;`,
          'let wa = vec4<f32>(wide);',
          'let wb = wa;',
          'let lo = least(za, zb) - wide;',
          'let hi = most(za, zb) + wide;',
        ]
      : [
          `let size = abs(b) + ${sizes((i) => `m${before}[${i}].z`)};`,
          `let loss = size * ${error} + 1e-30;`,
          `let wa = ${sizes((i) => `sa${before}[${i}]`)} + loss;`,
          `let wb = ${sizes((i) => `sb${before}[${i}]`)} + loss;`,
          `let mid = b + ${sum(inputs.map((i) => `${weight(i)} * m${before}[${i}].x`))};`,
          `let off = ${sizes((i) => `m${before}[${i}].y`)} + loss;`,
          'let lo = max(least(za - wa, zb - wb), mid - off);',
          'let hi = min(most(za + wa, zb + wb), mid + off);',
        ]),
    'let anchor = min(lo, 0.0);',
    'let top = max(hi, 0.0);',
    'let isLive = hi > 0.0;',
    // The line above the ReLU goes through (anchor, 0), the one below it through the origin.
    'let open = top / max(top - anchor, 1e-30) * 1.000002;',
    'let up = select(0.0, select(open, 1.0, lo >= 0.0), isLive);',
    'let low = select(0.0, 1.0, isLive && top > -anchor);',
    'let reach = select(0.0, top - anchor, isLive);',
    'let middle = 0.5 * (max(lo, 0.0) + top);',
    'let radius = 0.5 * (top - max(lo, 0.0));',
  ];
}

function storeLines(l: number): string[] {
  return [
    ...[...'ab'].flatMap((half) => [
      `let d${half} = low * (z${half} - w${half});`,
      `let e${half} = up * (z${half} + w${half} - anchor);`,
      `c${half}${l}[j] = 0.5 * (d${half} + e${half});`,
      `s${half}${l}[j] = 0.5 * (e${half} - d${half});`,
    ]),
    `m${l}[j] = vec4<f32>(middle, radius, reach, 0.0);`,
    `k${l}[j] = vec4<f32>(up, low, anchor, select(0.0, size, isLive));`,
  ];
}

/** The last hidden layer: f's interval by interval arithmetic, and the first step of the backward bounds. */
function streamLines(shape: FieldShape, l: number): string[] {
  return [
    'let last = end.y;',
    'middleSum += last * middle;',
    'radiusSum += abs(last) * radius;',
    'reachSum += abs(last) * reach;',
    'let c = vec2<f32>(last, -last);',
    ...passLines(shape, l, 'select(0.0, size, isLive)'),
  ];
}

/** From coefficients `c` of relu j in f and -f to those of what it reads. */
function passLines(shape: FieldShape, l: number, size = 'size'): string[] {
  const nIn = l === 0 ? shape.nInputs : shape.widths[l - 1];
  const target = (i: number): string => (l === 0 ? `g${i}` : `v${l - 1}[${i}]`);
  return [
    'let isBelow = c >= vec2<f32>(0.0);',
    'let mu = c * select(vec2<f32>(up), vec2<f32>(low), isBelow);',
    'constant += mu * (vec2<f32>(b) - select(vec2<f32>(anchor), vec2<f32>(0.0), isBelow));',
    // One side's loss would do for each; the larger of the two serves both.
    `lost += max(abs(c.x), abs(c.y)) * (${size}) * ${backwardError(shape, l)};`,
    ...upTo(nIn).map((i) => `${target(i)} += mu * ${weight(i)};`),
  ];
}

/** The inputs' corners, and the interval of interval arithmetic where there is a hidden layer. */
function outputLines(shape: FieldShape): string[] {
  const { nInputs, widths } = shape;
  const { first, stride } = placeRows(shape)[widths.length];
  const inputs = upTo(nInputs);
  const lines = [`let bias = rows[${first + stride - 1}u].x;`];
  if (widths.length === 0) {
    for (const i of inputs) {
      const w = `rows[${first + (i >> 2)}u].${LANES[i & 3]}`;
      lines.push(`g${i} = vec2<f32>(${w}, -${w});`);
    }
    lines.push(`lost += (${sum(inputs.map((i) => `abs(g${i}.x) * q${i}`))}) * ${units(nInputs + 40)};`);
  }
  lines.push(`lost += abs(bias) * ${units(2 * total(shape) + 8)};`);
  const ends = ['x', 'y'].map((side) => {
    const at = (half: string): string => sum(inputs.map((i) => `g${i}.${side} * t${i}${half}`));
    const radius = sum(inputs.map((i) => `abs(g${i}.${side}) * r${i}`));
    return `least(${at('a')}, ${at('b')}) - ((${radius}) * 1.0001 + lost)`;
  });
  lines.push(`let ends = constant + vec2<f32>(bias, -bias) + vec2<f32>(${ends.join(', ')});`);
  if (widths.length === 0) return [...lines, 'return vec2<f32>(ends.x, -ends.y);'];
  const error = units((widths.at(-1) ?? 0) + 16);
  return [
    ...lines,
    `let off = radiusSum + (abs(bias) + reachSum) * ${error} + 1e-30;`,
    'return vec2<f32>(max(ends.x, bias + middleSum - off), min(-ends.y, bias + middleSum + off));',
  ];
}
