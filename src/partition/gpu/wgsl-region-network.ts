import { type FieldShape, placeRows } from '../../field/gpu/shape.ts';
import type { Network } from '../../field/mlp.ts';

/** Most neurons of one region that may change sign in it; a box with more is bisected. Trained fields have up to 13. */
export const MAX_GPU_UNITS = 16;

/** What a region network is generated for. */
export interface RegionNetworkShape {
  readonly shape: FieldShape;
  /** 3 for boxes, 2 for rectangles, 1 for edges. */
  readonly dim: 1 | 2 | 3;
  /** f at the corners is given (`fCorner`), not computed. */
  readonly hasStoredF: boolean;
  /** Neurons of one layer are multiples of each other: see {@link hasTwins}. */
  readonly hasTwins: boolean;
}

/**
 * Whether rows of a layer are multiples of each other, as in |x| = relu(x) + relu(-x). Such units are then joined, or
 * bounds would let them change sign independently: a box of |x|, |y|, |z| needs 40 times as many nodes without.
 */
export function hasTwins({ hidden }: Network): boolean {
  return hidden.some(({ weights, bias, nIn, nOut }) => {
    const rows = Array.from({ length: nOut }, (_, j) => [
      ...weights.subarray(j * nIn, (j + 1) * nIn),
      bias[j],
    ]);
    return rows.some((row, j) => rows.some((other, i) => i < j && isMultiple(row, other)));
  });
}

function isMultiple(row: readonly number[], other: readonly number[]): boolean {
  const at = other.reduce((best, x, i) => (Math.abs(x) > Math.abs(other[best]) ? i : best), 0);
  if (other[at] === 0 || row[at] === 0) return false;
  const k = row[at] / other[at];
  return row.every((x, i) => Math.abs(x - k * other[i]) <= 1e-6 * Math.abs(k * other[at]));
}

/** Units that the arrays have room for. */
export function maxUnits({ widths }: FieldShape): number {
  return Math.max(
    1,
    Math.min(
      MAX_GPU_UNITS,
      widths.reduce((sum, width) => sum + width, 0),
    ),
  );
}

/** Names of the vectors that hold values at a region's corners, and their type. */
export function lanesOf(dim: 1 | 2 | 3): { readonly halves: readonly string[]; readonly type: string } {
  return { halves: dim === 3 ? ['a', 'b'] : ['a'], type: dim === 1 ? 'vec2<f32>' : 'vec4<f32>' };
}

/**
 * WGSL: `reduceRegion()`, which reduces the network to a region as {@link RegionNetwork} does on the CPU, with the same
 * names. Bound by whoever includes it: `rows` (the network, row by row: `packRows`). It calls `loadNeuron(j)`, which has
 * to put the pre-activation of first-layer neuron j at the region's corners in `za` (and `zb`, corners 4 to 7).
 *
 * Everything is in single precision, so that what depends on a sum's last bits is decided either way: regions whose f
 * comes within rounding of zero count as having surface (`magnitude` is what rounding is relative to).
 * @see region-network.ts
 */
export function regionNetworkWgsl(options: RegionNetworkShape): string {
  const { shape, dim, hasStoredF, hasTwins: joinsTwins } = options;
  const { widths } = shape;
  const { halves, type } = lanesOf(dim);
  const n = maxUnits(shape);
  const widest = Math.ceil(Math.max(4, ...widths) / 4) * 4;
  const keepsRows = widths.length > 2 || joinsTwins;
  return `
const MAX_UNITS = ${n}u;

var<private> nUnits: u32;
var<private> isOverflow: bool;
/// Among all hidden neurons.
var<private> unitNeuron: array<u32, ${n}>;
/// v_u = A_u + sum of B_uw relu(v_w): A's corner values, relu(v_u)'s, and the rows of B.
${halves.map((h) => `var<private> unitA${h}: array<${type}, ${n}>;\nvar<private> unitRelu${h}: array<${type}, ${n}>;`).join('\n')}
var<private> unitB: array<f32, ${n * n}>;
/// Range of the interpolant of relu(v_u)'s corner values less relu(v_u).
var<private> unitError: array<vec2<f32>, ${n}>;
var<private> fB: array<f32, ${n}>;
${halves.map((h) => `var<private> fA${h}: ${type};\nvar<private> fCorner${h}: ${type};`).join('\n')}
/// Range of f less the interpolant of its corner values.
var<private> fError: vec2<f32>;
/// What is added up in f, in size.
var<private> magnitude: f32;

${halves.map((h) => `var<private> z${h}: ${type};`).join('\n')}
/// relu of the layer before and of the current one at the corners.
${halves.map((h) => `var<private> before${h}: array<${type}, ${widest}>;\nvar<private> now${h}: array<${type}, ${widest}>;`).join('\n')}
/// 0 inactive, 1 active, 2 active and dependent on units, 3 + u: unit u.
var<private> stateBefore: array<u32, ${widest}>;
var<private> stateNow: array<u32, ${widest}>;
/// Couplings of the current neuron to the units so far${keepsRows ? ', of the layer before, of the current one' : ''}.
var<private> row: array<f32, ${n}>;
${keepsRows ? `var<private> rowsBefore: array<f32, ${widest * n}>;\nvar<private> rowsNow: array<f32, ${widest * n}>;` : ''}

${extremes(type, halves)}
/// Range of the sum of row's units, negated: what a neuron is off its interpolant by.
fn rowError(n: u32) -> vec2<f32> {
  var error = vec2<f32>(0.0);
  for (var u = 0u; u < n; u++) {
    let products = row[u] * unitError[u];
    error -= vec2<f32>(max(products.x, products.y), min(products.x, products.y));
  }
  return error;
}

/// Makes the neuron at hand a unit, coupled to \`nBefore\` others by \`row\`; gives its state.
fn addUnit(neuron: u32, nBefore: u32, lo: f32, hi: f32, error: vec2<f32>) -> u32 {
  let u = nUnits;
  if (u >= MAX_UNITS) {
    isOverflow = true;
    return 1u;
  }
  nUnits = u + 1u;
  unitNeuron[u] = neuron;
${halves.map((h) => `  var a${h} = z${h};`).join('\n')}
  for (var w = 0u; w < u; w++) {
    let b = select(0.0, row[w], w < nBefore);
    unitB[u * MAX_UNITS + w] = b;
${halves.map((h) => `    a${h} -= b * unitRelu${h}[w];`).join('\n')}
  }
${halves.map((h) => `  unitA${h}[u] = a${h};\n  unitRelu${h}[u] = max(z${h}, ${type}());`).join('\n')}
${joinsTwins ? '  if (joinTwin(u)) {\n    nUnits = u;\n    return 2u;\n  }' : ''}
  let isMixed = lo < 0.0 && hi > 0.0;
  let gap = select(0.0, -lo * hi / select(1.0, hi - lo, isMixed), isMixed);
  unitError[u] = vec2<f32>(-max(error.y, 0.0), gap - min(error.x, 0.0));
  return 3u + u;
}

${joinsTwins ? joinTwinFunction(dim) : ''}${keepsRows ? keepRowFunction() : ''}${widths.map((_, l) => layerFunction(options, l)).join('\n')}
fn reduceRegion() {
  nUnits = 0u;
  isOverflow = false;
  magnitude = 0.0;
${halves.map((h) => `  var f${h} = ${type}(${lastBias(shape)}${hasStoredF ? '' : ' + fine.isoOffset'});`).join('\n')}
  for (var u = 0u; u < MAX_UNITS; u++) { fB[u] = 0.0; }
${widths.map((_, l) => `  layer${l}();`).join('\n')}
${outputLines(shape, halves)}
${hasStoredF ? '' : halves.map((h) => `  fCorner${h} = f${h};`).join('\n')}
${halves.map((h) => `  fA${h} = fCorner${h};`).join('\n')}
  magnitude += most(${halves.map((h) => `abs(fCorner${h})`).join(', ')});
  for (var u = 0u; u < nUnits; u++) {
    row[u] = fB[u];
${halves.map((h) => `    fA${h} -= fB[u] * unitRelu${h}[u];`).join('\n')}
  }
  fError = rowError(nUnits);
}
`;
}

function extremes(type: string, halves: readonly string[]): string {
  const args = halves.map((h) => `${h}: ${type}`).join(', ');
  const of = (op: string): string => {
    const whole = halves.length === 2 ? `${op}(a, b)` : 'a';
    return type === 'vec2<f32>'
      ? `  let m = ${whole};\n  return ${op}(m.x, m.y);`
      : `  let m = ${whole};\n  return ${op}(${op}(m.x, m.y), ${op}(m.z, m.w));`;
  };
  return `fn least(${args}) -> f32 {\n${of('min')}\n}\nfn most(${args}) -> f32 {\n${of('max')}\n}`;
}

function lastBias(shape: FieldShape): string {
  const { first, stride } = placeRows(shape)[shape.widths.length];
  return `rows[${first + stride - 1}].x`;
}

/** One hidden layer: values at the corners, states, units; the last one also counts what f takes from them. */
function layerFunction({ shape, dim, hasTwins: joinsTwins }: RegionNetworkShape, l: number): string {
  const { widths } = shape;
  const { halves, type } = lanesOf(dim);
  const firstNeuron = widths.slice(0, l).reduce((sum, width) => sum + width, 0);
  const isLast = l === widths.length - 1;
  const keepsRows = joinsTwins || l > 0;
  const all = halves.map((h) => `z${h}`).join(', ');
  return `
fn layer${l}() {
  let nBefore = nUnits;
${l === 0 ? '' : takeInputs(shape, dim, l)}
  for (var j = 0u; j < ${widths[l]}u; j++) {
${l === 0 ? '    loadNeuron(j);' : forward(shape, dim, l)}
    let lo = least(${all});
    let hi = most(${all});
${halves.map((h) => `    now${h}[j] = max(z${h}, ${type}());`).join('\n')}
${l === 0 ? '    let error = vec2<f32>(0.0);' : `${couple(shape, l, joinsTwins)}\n    let error = rowError(nBefore);`}
    var state = 0u;
    var nRow = nBefore;
    if (lo + error.x >= 0.0) { state = ${l === 0 ? '1u' : 'select(1u, 2u, nBefore > 0u)'}; }
    else if (hi + error.y > 0.0) {
      state = addUnit(${firstNeuron}u + j, nBefore, lo, hi, error);
      nRow = nUnits;
    }
    stateNow[j] = state;
${isLast ? takeOutput(shape, joinsTwins) : ''}${keepsRows && !isLast ? '    if (state == 2u) { keepRow(j, nRow); }' : ''}
  }
${Array.from({ length: widths[l] }, (_, j) =>
  [...halves.map((h) => `  before${h}[${j}] = now${h}[${j}];`), `  stateBefore[${j}] = stateNow[${j}];`].join(
    ' ',
  ),
).join('\n')}
${keepsRows && !isLast ? `  for (var i = 0u; i < ${widths[l]}u * MAX_UNITS; i++) { rowsBefore[i] = rowsNow[i]; }` : ''}
}
`;
}

/** `joinTwin(u)`: see `RegionNetwork.joinTwin`. Differences up to single precision's rounding pass. */
function joinTwinFunction(dim: 1 | 2 | 3): string {
  const { halves } = lanesOf(dim);
  const off = halves.map((h) => `abs(unitA${h}[u] - k * unitA${h}[w])`).join(', ');
  const size = halves.map((h) => `abs(unitA${h}[w])`).join(', ');
  const products = halves.map((h) => `dot(unitA${h}[u], unitA${h}[w])`).join(' + ');
  const squares = halves.map((h) => `dot(unitA${h}[w], unitA${h}[w])`).join(' + ');
  return `
const TWIN = 4e-6;

/// Whether unit u is a multiple of an earlier one, and becomes couplings (in \`row\`) instead.
fn joinTwin(u: u32) -> bool {
  for (var w = 0u; w < u; w++) {
    let k = (${products}) / max(${squares}, 1e-37);
    var isTwin = k != 0.0 && most(${off}) <= TWIN * abs(k) * most(${size});
    for (var i = 0u; i < u; i++) {
      let b = select(0.0, k * unitB[w * MAX_UNITS + i], i < w);
      isTwin = isTwin && abs(unitB[u * MAX_UNITS + i] - b) <= TWIN * (abs(b) + abs(k));
    }
    if (!isTwin) { continue; }
    for (var i = 0u; i < u; i++) {
      row[i] = select(0.0, k * unitB[w * MAX_UNITS + i], k < 0.0 && i < w);
    }
    row[w] = abs(k);
    return true;
  }
  return false;
}
`;
}

function keepRowFunction(): string {
  return `
/// The couplings of an active neuron to the first \`n\` units.
fn keepRow(j: u32, n: u32) {
  for (var u = 0u; u < MAX_UNITS; u++) { rowsNow[j * MAX_UNITS + u] = select(0.0, row[u], u < n); }
}
`;
}

/**
 * The pre-activation of neuron j. What it reads has been taken out of its array beforehand: software reads arrays at
 * numbers that it does not know ten times slower (3.3 against 0.8 µs for a layer of 16 x 16).
 */
function forward(shape: FieldShape, dim: 1 | 2 | 3, l: number): string {
  const { halves, type } = lanesOf(dim);
  const { first, stride } = placeRows(shape)[l];
  const sums = Array.from({ length: shape.widths[l - 1] }, (_, i) =>
    halves.map((h) => `z${h} += w${i >> 2}.${'xyzw'[i & 3]} * in${h}${i};`).join(' '),
  );
  return `    let at = ${first}u + j * ${stride}u;
${Array.from({ length: stride - 1 }, (_, g) => `    let w${g} = rows[at + ${g}u];`).join('\n')}
    let bias = rows[at + ${stride - 1}u].x;
${halves.map((h) => `    z${h} = ${type}(bias);`).join('\n')}
${sums.map((sum) => `    ${sum}`).join('\n')}`;
}

/** Takes the ReLUs of the layer before out of their arrays. */
function takeInputs(shape: FieldShape, dim: 1 | 2 | 3, l: number): string {
  const { halves } = lanesOf(dim);
  return Array.from({ length: shape.widths[l - 1] }, (_, i) =>
    halves.map((h) => `  let in${h}${i} = before${h}[${i}];`).join('\n'),
  ).join('\n');
}

/** `row`: what neuron j takes from the units so far, through the active neurons of the layer before. */
function couple(shape: FieldShape, l: number, joinsTwins: boolean): string {
  const weight = (i: string): string => `rows[at + ((${i}) >> 2u)][(${i}) & 3u]`;
  if (l === 1 && !joinsTwins)
    return `    for (var u = 0u; u < nBefore; u++) { row[u] = ${weight('unitNeuron[u]')}; }`;
  return `    for (var u = 0u; u < nBefore; u++) { row[u] = 0.0; }
    for (var i = 0u; nBefore > 0u && i < ${shape.widths[l - 1]}u; i++) {
      let state = stateBefore[i];
      if (state < 2u) { continue; }
      let w = ${weight('i')};
      if (state >= 3u) {
        row[state - 3u] += w;
        continue;
      }
      for (var u = 0u; u < nBefore; u++) { row[u] += w * rowsBefore[i * MAX_UNITS + u]; }
    }`;
}

/** What f takes from neuron j of the last hidden layer: couplings, for bounds. */
function takeOutput(shape: FieldShape, joinsTwins: boolean): string {
  const { widths } = shape;
  const l = widths.length - 1;
  const { first, stride } = placeRows(shape)[l];
  const hasRows = l > 0 || joinsTwins;
  return `    let last = rows[${first}u + j * ${stride}u + ${stride - 1}u].y;
    if (state >= 3u) { fB[state - 3u] += last; }
${hasRows ? '    if (state == 2u) { for (var u = 0u; u < nRow; u++) { fB[u] += last * row[u]; } }' : ''}
    magnitude += abs(last) * max(hi, 0.0);`;
}

/** f at the corners from the last hidden layer. Without one f is what the first "neuron" is. */
function outputLines(shape: FieldShape, halves: readonly string[]): string {
  const { widths } = shape;
  if (widths.length === 0) {
    return `  loadNeuron(0u);\n${halves.map((h) => `  f${h} = z${h};`).join('\n')}`;
  }
  const { first } = placeRows(shape)[widths.length];
  const nLast = widths[widths.length - 1];
  const weights = Array.from({ length: Math.ceil(nLast / 4) }, (_, g) => `  let w${g} = rows[${first + g}];`);
  const sums = Array.from({ length: nLast }, (_, i) =>
    halves.map((h) => `f${h} += w${i >> 2}.${'xyzw'[i & 3]} * before${h}[${i}];`).join(' '),
  );
  return [...weights, ...sums.map((sum) => `  ${sum}`)].join('\n');
}
