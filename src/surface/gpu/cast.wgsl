// Puts vertices on the zero set: along a direction in which f increases, at most as far as the reach; and takes the gradient
// there.
//
// Generated code stands around this: evaluateField, Line, wayOf.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> search: Search;
@group(0) @binding(2) var<uniform> detail: Detail;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
@group(0) @binding(4) var<storage, read> casts: array<Cast>;
@group(0) @binding(5) var<storage, read_write> vertices: array<vec4<f32>>;
/// Unit normal, or zero where there is none to tell; slope.
@group(0) @binding(6) var<storage, read_write> normals: array<vec4<f32>>;
/// 1 where the vertex is on the zero set, for orders that need not be.
@group(0) @binding(7) var<storage, read_write> isFound: array<u32>;
@group(0) @binding(8) var<storage, read_write> summary: array<atomic<u32>>;

fn isOn(f: f32, slope: f32) -> bool { return abs(f) <= max(search.most * slope, search.noise); }

/// What f is evaluated for.
const AT_START = 0u;
const ON_LINE = 1u;
/// At the far end of an axis, whether there is a zero between.
const AT_END = 2u;
/// The gradient at the place that was found.
const AT_BEST = 3u;

fn castVertex(item: u32) {
  let order = casts[item];
  if (order.vertex >= arrayLength(&vertices)) { return; }
  let isNeeded = search.isNeeded != 0u;
  let slope = select(max(order.slope, search.flat), search.usual, order.slope == 0.0);
  let start = withinBounds(order.position);
  var purpose = AT_START;
  var f0 = 0.0;
  var point = start;
  var line: Line;
  var nTries = 0u;
  /// The nearest place on all lines, |f| there.
  var best = vec4<f32>(start, 0.0);
  /// Axes that were looked along, where the order's own line found nothing: between creases a normal may miss the zero set.
  var nAxes = 0u;
  for (;;) {
    let g = evaluateField(point, purpose == AT_BEST);
    if (purpose == AT_BEST) {
      setNormal(order.vertex, g.xyz);
      break;
    }
    if (purpose == AT_START) {
      f0 = g.w;
      best.w = abs(f0);
      line = beginLine(start, f0, order.direction, slope, order.reach);
      purpose = ON_LINE;
    } else if (purpose == ON_LINE) {
      advance(&line, g.w);
      nTries++;
    } else {
      let isBetween = (g.w >= 0.0) != (f0 >= 0.0);
      let toward = select(1.0, -1.0, f0 >= 0.0) * wayOf(nAxes);
      line = beginLine(start, f0, toward, 2.0 * abs(f0) / max(order.reach, search.least), order.reach);
      line.isDone = line.isDone || !isBetween;
      nTries = 0u;
      nAxes++;
      purpose = ON_LINE;
    }
    point = pointOn(line);
    if (!line.isDone && nTries < search.nTries) { continue; }
    if (line.best.y < best.w) { best = vec4<f32>(placeOn(line, line.best.x), line.best.y); }
    let isOver = !isNeeded || isOn(best.w, slope) || nAxes == N_WAYS;
    purpose = select(AT_END, AT_BEST, isOver);
    point = select(withinBounds(start + order.reach * wayOf(nAxes)), best.xyz, isOver);
  }
  if (!isNeeded) { isFound[item] = select(0u, 1u, isOn(best.w, slope)); }
  else if (best.w > OFF * max(search.most * slope, search.noise)) { atomicAdd(&summary[SUMMARY_OFF], 1u); }
  vertices[order.vertex] = vec4<f32>(best.xyz, vertices[order.vertex].w);
}
