// Follows the zero curves on a rectangle from root to root, and keeps as many of their points as the tolerance wants. See
// CurveTracer (trace.ts) and FaceTable (faces.ts), which this follows: within one sign vector f and every unit are
// bilinear, so a curve is a branch of a hyperbola, and where a unit leaves its sign is a root of a quadratic.
//
// Generated code stands around this: reduceRegion with what it needs.

@group(0) @binding(0) var<uniform> detail: Detail;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> frames: array<RectFrame>;
@group(0) @binding(3) var<storage, read> boundary: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> firstLayer: array<vec4<f32>>;
/// Start vertex, end vertex, rectangle with the axis in the two highest bits, points in between with ASTRAY.
@group(0) @binding(5) var<storage, read_write> chains: array<vec4<u32>>;
/// Place on the rectangle, 0 to 1, 16 bits a coordinate: what that rounds is put right by a step along the gradient. Then the
/// neuron whose sign changes there, + 1, or 0.
@group(0) @binding(6) var<storage, read_write> chainPoints: array<vec2<u32>>;
@group(0) @binding(7) var<storage, read_write> nPoints: array<u32>;

/// Pieces after which a walk is given up, and points of a curve that are looked at.
const MAX_PIECES = 96u;
const MAX_POINTS = 31u;
/// An exit farther than this (of the rectangle's sides) from the root it is snapped to means that the walk went astray.
const SNAP = 2e-3;
/// A unit's value on the curve that is rounding, as a share of its coefficients; a crossing so little behind is taken now.
const ROUNDING = 2e-6;
const NOW = 1e-5;
/// Share of the chain's tolerance to which arcs are sampled.
const SAMPLING = 0.25;
const NOT_A_NUMBER = 3e38;

var<private> corners: vec4<u32>;
var<private> size: vec2<f32>;
/// Bilinear coefficients (1, x, y, xy) of the units under the signs at hand, and of f.
var<private> forms: array<vec4<f32>, MAX_UNITS>;
var<private> isOn: array<bool, MAX_UNITS>;
var<private> fForm: vec4<f32>;
/// The curve.
var<private> line: array<vec2<f32>, 32>;
/// By point: the neuron whose sign changes there, + 1, or 0.
var<private> kinks: array<u32, 32>;
var<private> nLine: u32;
var<private> here: vec2<f32>;
/// Where the walk left the rectangle; 4 where it was given up.
var<private> exitSide: u32;

fn loadNeuron(j: u32) {
  za = vec4<f32>(
    firstLayer[corners.x * N_VECTORS + (j >> 2u)][j & 3u],
    firstLayer[corners.y * N_VECTORS + (j >> 2u)][j & 3u],
    firstLayer[corners.z * N_VECTORS + (j >> 2u)][j & 3u],
    firstLayer[corners.w * N_VECTORS + (j >> 2u)][j & 3u],
  );
}

fn formOf(a: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(a.x, a.y - a.x, a.z - a.x, a.w - a.z - a.y + a.x);
}

fn valueAt(form: vec4<f32>, p: vec2<f32>) -> f32 {
  return dot(form, vec4<f32>(1.0, p.x, p.y, p.x * p.y));
}

/// The forms of units and f. At a walk's start a unit's sign is what its value says, later what the walk made it.
fn rebuildForms(isStart: bool) {
  fForm = formOf(fAa);
  for (var u = 0u; u < nUnits; u++) {
    var form = formOf(unitAa[u]);
    for (var w = 0u; w < u; w++) { form += select(0.0, unitB[u * MAX_UNITS + w], isOn[w]) * forms[w]; }
    forms[u] = form;
    if (isStart) { isOn[u] = valueAt(form, here) >= 0.0; }
    fForm += select(0.0, fB[u], isOn[u]) * form;
  }
}

/// The root of q2 x² + q1 x + q0 at which the slope has the given sign; NOT_A_NUMBER where there is none.
fn rootWithSlope(q2: f32, q1: f32, q0: f32, slopeSign: f32) -> f32 {
  let discriminant = q1 * q1 - 4.0 * q2 * q0;
  if (discriminant < 0.0) { return NOT_A_NUMBER; }
  let s = slopeSign * sqrt(discriminant);
  let isPlain = q1 * slopeSign <= 0.0;
  let above = select(-2.0 * q0, s - q1, isPlain);
  let below = select(q1 + s, 2.0 * q2, isPlain);
  if (below == 0.0) { return NOT_A_NUMBER; }
  return above / below;
}

/// How far ahead a unit leaves its sign along the branch whose f is (a, b, c, d) with x the walk's coordinate.
fn distanceTo(u: u32, isX: bool, f: vec4<f32>, p: f32, dir: f32, isCrossed: bool) -> f32 {
  let form = forms[u];
  let g = select(form.xzyw, form, isX);
  let sign = select(-1.0, 1.0, isOn[u]);
  let value = valueAt(form, here);
  let noise = ROUNDING * (abs(g.x) + abs(g.y) + abs(g.z) + abs(g.w));
  if (!isCrossed && value * sign < -noise) { return 0.0; }
  // unit = q(x) / (c + d x), whose denominator keeps its sign along the branch.
  let denominatorSign = select(-1.0, 1.0, f.z + f.w * p >= 0.0);
  let q2 = g.y * f.w - g.w * f.y;
  let q1 = g.x * f.w + g.y * f.z - g.z * f.y - g.w * f.x;
  let q0 = g.x * f.z - g.z * f.x;
  let root = rootWithSlope(q2, q1, q0, -sign * dir * denominatorSign);
  let far = (root - p) * dir;
  return select(NOT_A_NUMBER, max(0.0, far), far >= -NOW && root != NOT_A_NUMBER);
}

fn addPoint(p: vec2<f32>, kink: u32) {
  if (nLine > MAX_POINTS) { return; }
  line[nLine] = p;
  kinks[nLine] = kink;
  nLine++;
}

/// Adds points of the hyperbola arc from `start` to `here`, as many as its height over the chord asks for.
fn addArc(start: vec2<f32>, sampling: f32) {
  let chord = (here - start) * size;
  let isX = abs(here.x - start.x) >= abs(here.y - start.y);
  let f = select(fForm.xzyw, fForm, isX);
  let s0 = select(start.y, start.x, isX);
  let s1 = select(here.y, here.x, isX);
  let d0 = f.z + f.w * s0;
  let d1 = f.z + f.w * s1;
  if (d0 * d1 <= 0.0) { return; }
  // The arc's farthest point from its chord.
  let s = s0 + (s1 - s0) / (1.0 + sqrt(d1 / d0));
  let t = -(f.x + f.y * s) / (f.z + f.w * s);
  let far = (select(vec2<f32>(t, s), vec2<f32>(s, t), isX) - start) * size;
  let height = abs(chord.x * far.y - chord.y * far.x) / max(length(chord), 1e-30);
  let n = u32(min(8.0, ceil(sqrt(height / sampling))));
  for (var i = 1u; i < n; i++) {
    let si = s0 + (s1 - s0) * f32(i) / f32(n);
    let ti = clamp(-(f.x + f.y * si) / (f.z + f.w * si), 0.0, 1.0);
    addPoint(select(vec2<f32>(ti, si), vec2<f32>(si, ti), isX), 0u);
  }
}

/// Moves to the next crossing (gives its unit) or to the exit (gives MAX_UNITS).
fn nextEvent(crossed: u32) -> u32 {
  let slope = vec2<f32>(fForm.y + fForm.w * here.y, fForm.z + fForm.w * here.x);
  // With f > 0 on the left the tangent is (f_y, -f_x).
  let isX = abs(slope.y) >= abs(slope.x);
  let f = select(fForm.xzyw, fForm, isX);
  let p = select(here.y, here.x, isX);
  let q = select(here.x, here.y, isX);
  let along = select(-slope.x, slope.y, isX);
  let across = select(slope.y, -slope.x, isX);
  let dir = select(-1.0, 1.0, along >= 0.0);
  let end = select(0.0, 1.0, dir > 0.0);
  var best = (end - p) * dir;
  var event = MAX_UNITS;
  var side = select(select(0u, 2u, dir > 0.0), select(3u, 1u, dir > 0.0), isX);
  if (across != 0.0) {
    let isUp = across > 0.0;
    let edge = select(0.0, 1.0, isUp);
    let below = f.y + f.w * edge;
    // Without a crossing no quotient is formed: `select` evaluates both.
    let isCrossing = below != 0.0;
    let far = (-(f.x + f.z * edge) / select(1.0, below, isCrossing) - p) * dir;
    let isReached = (edge - q) * select(-1.0, 1.0, isUp) <= 0.0;
    if (isReached || (isCrossing && far >= 0.0 && far < best)) {
      best = select(far, 0.0, isReached);
      side = select(select(3u, 1u, isUp), select(0u, 2u, isUp), isX);
    }
  }
  for (var u = 0u; u < nUnits; u++) {
    let far = distanceTo(u, isX, f, p, dir, u == crossed);
    if (far < best) {
      best = far;
      event = u;
    }
  }
  let s = clamp(p + best * dir, 0.0, 1.0);
  let below = f.z + f.w * s;
  let isGraph = below != 0.0;
  let t = select(q, clamp(-(f.x + f.y * s) / select(1.0, below, isGraph), 0.0, 1.0), isGraph);
  here = select(vec2<f32>(t, s), vec2<f32>(s, t), isX);
  if (event == MAX_UNITS) {
    exitSide = side;
    if (side == 0u) { here.y = 0.0; }
    if (side == 1u) { here.x = 1.0; }
    if (side == 2u) { here.y = 1.0; }
    if (side == 3u) { here.x = 0.0; }
  }
  return event;
}

/// Walks from a root with f > 0 on the left until the curve leaves the rectangle.
fn walk(start: vec2<f32>, sampling: f32) {
  here = start;
  nLine = 0u;
  exitSide = 4u;
  rebuildForms(true);
  addPoint(here, 0u);
  var crossed = MAX_UNITS;
  for (var piece = 0u; piece < MAX_PIECES; piece++) {
    let begin = here;
    crossed = nextEvent(crossed);
    addArc(begin, sampling);
    addPoint(here, select(unitNeuron[min(crossed, MAX_UNITS - 1u)] + 1u, 0u, crossed == MAX_UNITS));
    if (crossed == MAX_UNITS) { break; }
    isOn[crossed] = !isOn[crossed];
    rebuildForms(false);
  }
}

/// Distance of a point of the line from the chord between two others, in local units.
fn heightOf(i: u32, a: u32, b: u32) -> f32 {
  let chord = (line[b] - line[a]) * size;
  let to = (line[i] - line[a]) * size;
  let norm = length(chord);
  return select(abs(chord.x * to.y - chord.y * to.x) / max(norm, 1e-30), length(to), norm == 0.0);
}

/// Bits of the points to keep: always the farthest one from its chord next, while that is too far and there is room.
fn keptPoints(tolerance: f32, isPointWanted: bool) -> u32 {
  let last = nLine - 1u;
  if (KEEPS_KINKS) { return 0xffffffffu >> (31u - last); }
  var kept = 1u | (1u << last);
  for (var n = 0u; n < CHAIN_SLOTS; n++) {
    var farthest = -1.0;
    var at = 0u;
    var before = 0u;
    for (var i = 1u; i < last; i++) {
      if ((kept & (1u << i)) != 0u) {
        before = i;
        continue;
      }
      let after = firstTrailingBit(kept >> i) + i;
      let height = heightOf(i, before, after);
      if (height > farthest) {
        farthest = height;
        at = i;
      }
    }
    if (at == 0u || (farthest <= tolerance && !(isPointWanted && n == 0u))) { break; }
    kept |= 1u << at;
  }
  return kept;
}

/// The unused root where the walk left, or `n` where there is none near.
fn snap(first: u32, n: u32, isStart: u32, isUsed: u32) -> u32 {
  var best = n;
  var nearest = select(SNAP, -1.0, exitSide == 4u);
  for (var i = 0u; i < min(n, 32u); i++) {
    let root = boundary[first + i];
    let distance = abs(root.x - here.x) + abs(root.y - here.y);
    if (((isStart | isUsed) & (1u << i)) == 0u && distance < nearest) {
      nearest = distance;
      best = i;
    }
  }
  return best;
}

/// Writes the chain from root i to root j of the rectangle, with the points of `line` that are kept.
/// @param mark ASTRAY or 0.
fn emitChain(chain: u32, frame: u32, first: u32, i: u32, j: u32, kept: u32, mark: u32) {
  if (chain >= arrayLength(&chains)) { return; }
  let start = bitcast<u32>(boundary[first + i].z);
  let end = bitcast<u32>(boundary[first + j].z);
  var n = 0u;
  var left = kept & ~1u;
  left &= ~(1u << (nLine - 1u));
  while (left != 0u && n < CHAIN_SLOTS) {
    let k = firstTrailingBit(left);
    left &= left - 1u;
    chainPoints[chain * CHAIN_SLOTS + n] = vec2<u32>(pack2x16unorm(line[k]), kinks[k]);
    n++;
  }
  chains[chain] = vec4<u32>(start, end, frames[frame].rect | (frames[frame].axis << 30u), n | mark);
  nPoints[chain] = n;
}

/// A straight chain between two roots; off its side where both lie on one.
fn emitStraight(chain: u32, frame: u32, first: u32, i: u32, j: u32, mark: u32) {
  let a = boundary[first + i];
  let b = boundary[first + j];
  nLine = 3u;
  line[0] = a.xy;
  line[2] = b.xy;
  let middle = 0.5 * (a.xy + b.xy);
  let inward = (vec2<f32>(0.5) - middle) * size;
  let reach = 0.25 * length((b.xy - a.xy) * size);
  kinks[1] = 0u;
  line[1] = middle + inward * (reach / max(length(inward), 1e-30)) / size;
  let isOneSided = bitcast<u32>(a.w) == bitcast<u32>(b.w);
  emitChain(chain, frame, first, i, j, select(5u, 7u, isOneSided), mark);
}

fn traceCurves(item: u32) {
  let frame = frames[item];
  corners = frame.corners;
  let u = (frame.axis + 1u) % 3u;
  let v = (frame.axis + 2u) % 3u;
  size = vec2<f32>(frame.high[u] - frame.low[u], frame.high[v] - frame.low[v]);
  fCornera = frame.f;
  reduceRegion();
  let tolerance = CHAIN_SHARE * toleranceIn(frame.low, frame.high);
  let first = 2u * frame.firstCurve;
  let n = frame.nRoots;
  // Going around, f falls at a start: a curve enters there with f > 0 on its left.
  let starts = select(0xaaaaaaaau, 0x55555555u, frame.f.x >= 0.0);
  var used = 0u;
  var chain = frame.firstCurve;
  for (var i = 0u; i < n && n <= 32u && !isOverflow; i++) {
    let bit = 1u << i;
    if ((starts & bit) == 0u) { continue; }
    walk(boundary[first + i].xy, SAMPLING * tolerance);
    let end = snap(first, n, starts, used);
    if (end == n) { continue; }
    used |= bit | (1u << end);
    let isOneSided = bitcast<u32>(boundary[first + i].w) == bitcast<u32>(boundary[first + end].w);
    if (isOneSided && nLine == 2u) { emitStraight(chain, item, first, i, end, 0u); }
    else { emitChain(chain, item, first, i, end, keptPoints(tolerance, isOneSided), 0u); }
    chain++;
  }
  // What no walk joined is paired by its order around the rectangle, innermost first: no two of those chains cross.
  let isCrowded = n > 32u;
  for (var i = 0u; i < n && isCrowded; i += 2u) {
    emitStraight(chain, item, first, i + select(1u, 0u, (starts & 1u) == 1u), i + select(0u, 1u, (starts & 1u) == 1u), ASTRAY);
    chain++;
  }
  for (var round = 0u; round < n && !isCrowded && countOneBits(used) < n; round++) {
    var before = n;
    for (var i = 0u; i < n; i++) {
      if ((used & (1u << i)) != 0u) { continue; }
      let isStart = (starts & (1u << i)) != 0u;
      if (before == n || isStart == ((starts & (1u << before)) != 0u)) {
        before = i;
        continue;
      }
      emitStraight(chain, item, first, select(before, i, isStart), select(i, before, isStart), ASTRAY);
      chain++;
      used |= (1u << i) | (1u << before);
      before = n;
    }
  }
}
