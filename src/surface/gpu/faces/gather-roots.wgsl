// Gathers the roots around a rectangle with curves, counter-clockwise from its corner c00 in its own coordinates. See
// RectBoundary (surface/curves.ts).

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> edgeEnds: array<u32>;
@group(0) @binding(2) var<storage, read> edgeRoots: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> frames: array<RectFrame>;
/// Place on the rectangle, 0 to 1; then as bits vertex and side (0 bottom, 1 right, 2 top, 3 left). Those of a
/// rectangle begin at twice its first curve.
@group(0) @binding(5) var<storage, read_write> boundary: array<vec4<f32>>;

var<private> place: u32;

/// Appends the roots of one side, from its lower end or from its upper end on.
fn gatherSide(start: u32, end: u32, axis: u32, lo: f32, hi: f32, side: u32) {
  let isReversed = side >= 2u;
  let n = rootsOnSide(start, end, axis);
  var k = 0u;
  var current = start;
  for (var step = 0u; step < MAX_STEPS && current != end; step++) {
    let edge = current * 3u + axis;
    let found = edgeRoots[edge];
    for (var i = 0u; i < found.y; i++) {
      let vertex = found.x + i;
      let s = clamp((vertices[vertex][axis] - lo) / (hi - lo), 0.0, 1.0);
      let at = place + select(k, n - 1u - k, isReversed);
      let isUpright = (side & 1u) == 1u;
      let x = select(s, select(0.0, 1.0, side == 1u), isUpright);
      let y = select(select(0.0, 1.0, side == 2u), s, isUpright);
      if (at < arrayLength(&boundary)) {
        boundary[at] = vec4<f32>(x, y, bitcast<f32>(vertex), bitcast<f32>(side));
      }
      k++;
    }
    if (edgeEnds[edge] == 0u) { break; }
    current = endOf(edgeEnds[edge]);
  }
  place += n;
}

fn gatherRoots(item: u32) {
  let corners = frames[item].corners;
  let low = frames[item].low;
  let high = frames[item].high;
  let u = (frames[item].axis + 1u) % 3u;
  let v = (frames[item].axis + 2u) % 3u;
  let first = 2u * frames[item].firstCurve;
  place = first;
  gatherSide(corners.x, corners.y, u, low[u], high[u], 0u);
  gatherSide(corners.y, corners.w, v, low[v], high[v], 1u);
  gatherSide(corners.z, corners.w, u, low[u], high[u], 2u);
  gatherSide(corners.x, corners.z, v, low[v], high[v], 3u);
  frames[item].nRoots = (place - first) & ~1u;
}
