// The roots of f on one edge. f is piecewise linear along it: the signs of the units are followed from break to break, and
// f has a root in every piece at whose ends it differs in sign. See EdgeTable (edges.ts).

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> edgeEnds: array<u32>;
@group(0) @binding(3) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> firstLayer: array<vec4<f32>>;
/// Up to four a listed edge, ascending from its lower corner.
@group(0) @binding(5) var<storage, read_write> roots: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> nRoots: array<u32>;

const MAX_PIECES = 96u;

var<private> ends: vec2<u32>;
/// Of the units under the signs at hand: value at 0 and slope.
var<private> lines: array<vec2<f32>, MAX_UNITS>;
var<private> isOn: array<bool, MAX_UNITS>;
var<private> fLine: vec2<f32>;

fn loadNeuron(j: u32) {
  za = vec2<f32>(
    firstLayer[ends.x * N_VECTORS + (j >> 2u)][j & 3u],
    firstLayer[ends.y * N_VECTORS + (j >> 2u)][j & 3u],
  );
}

fn lineOf(a: vec2<f32>) -> vec2<f32> { return vec2<f32>(a.x, a.y - a.x); }

/// Lines of the units and of f.
fn rebuildLines() {
  fLine = lineOf(fAa);
  for (var u = 0u; u < nUnits; u++) {
    var line = lineOf(unitAa[u]);
    for (var w = 0u; w < u; w++) { line += select(0.0, unitB[u * MAX_UNITS + w], isOn[w]) * lines[w]; }
    lines[u] = line;
    fLine += select(0.0, fB[u], isOn[u]) * line;
  }
}

fn findRoots(item: u32) {
  let edge = listed[item];
  let start = edge / 3u;
  ends = vec2<u32>(start, endOf(edgeEnds[edge]));
  fCornera = vec2<f32>(points[ends.x].w, points[ends.y].w);
  reduceRegion();
  var found = vec4<f32>(0.0);
  var n = 0u;
  if (isOverflow) { nUnits = 0u; }
  for (var u = 0u; u < nUnits; u++) { isOn[u] = unitRelua[u].x > 0.0; }
  var t = 0.0;
  var value = fCornera.x;
  for (var piece = 0u; piece < MAX_PIECES && t < 1.0; piece++) {
    rebuildLines();
    var next = 1.0;
    var crossed = MAX_UNITS;
    for (var u = 0u; u < nUnits; u++) {
      let line = lines[u];
      if (isOn[u] != (line.y < 0.0) || line.y == 0.0) { continue; }
      let at = max(t, -line.x / line.y);
      if (at < next) {
        next = at;
        crossed = u;
      }
    }
    let after = select(fLine.x + next * fLine.y, fCornera.y, crossed == MAX_UNITS || piece + 1u == MAX_PIECES);
    if ((value >= 0.0) != (after >= 0.0)) {
      let root = clamp(t + (next - t) * (value / (value - after)), 0.0, 1.0);
      // A fifth root and the fourth one are left out together, so that the signs at both ends stay right.
      if (n < 4u) {
        found[n] = root;
        n++;
      } else {
        n--;
      }
    }
    value = after;
    t = next;
    if (crossed < MAX_UNITS) { isOn[crossed] = !isOn[crossed]; }
  }
  roots[item] = found;
  nRoots[item] = n;
}
