// Puts vertices on the zero set, and takes the gradient there. Either by orders: along a direction in which f increases, at most
// as far as the reach. Or, where vertices are nearly there (`search.isPolish`), along the gradient, which is kept; on a face of the
// domain a vertex stays on it, and those that are not there then, or had farther to go than the gradient is good for, are told.
//
// Generated code stands around this: evaluateField, Line, wayOf.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> search: Search;
@group(0) @binding(2) var<uniform> detail: Detail;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
@group(0) @binding(4) var<storage, read> casts: array<Cast>;
/// The vertices to polish, where they come from a list.
@group(0) @binding(5) var<storage, read> listed: array<u32>;
@group(0) @binding(6) var<storage, read_write> vertices: array<vec4<f32>>;
/// Unit normal, or zero where there is none to tell; slope.
@group(0) @binding(7) var<storage, read_write> normals: array<vec4<f32>>;
/// By order that need not be carried out: 1 where the vertex is on the zero set. By polished vertex: 1 where it has to be taken again.
@group(0) @binding(8) var<storage, read_write> outcomes: array<u32>;
/// By vertex: 1 where it is told to be off the zero set.
@group(0) @binding(9) var<storage, read_write> isOff: array<u32>;

fn isOn(f: f32, slope: f32) -> bool { return abs(f) <= max(search.most * slope, search.noise); }

/// What f is evaluated for.
const AT_START = 0u;
const ON_LINE = 1u;
/// At the far end of an axis, whether there is a zero between.
const AT_END = 2u;
/// The gradient at the place that was found.
const AT_BEST = 3u;

fn castVertex(item: u32) {
  let isPolish = search.isPolish != 0u;
  let isNeeded = search.isNeeded != 0u;
  var order = casts[select(item, 0u, isPolish)];
  if (isPolish) {
    order.vertex = item;
    if (search.isListed != 0u) { order.vertex = listed[item]; }
    order.position = vertices[order.vertex].xyz;
    order.reach = search.reach;
  }
  if (order.vertex >= arrayLength(&normals)) { return; }
  let start = withinBounds(order.position);
  let faces = vec3<u32>(bitcast<u32>(vertices[order.vertex].w));
  let isHeld = (faces & vec3<u32>(3u, 12u, 48u)) != vec3<u32>(0u);
  var slope = select(max(order.slope, search.flat), search.usual, order.slope == 0.0);
  var gradient = vec3<f32>(0.0);
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
    let g = evaluateField(point, purpose == AT_BEST || (isPolish && purpose == AT_START));
    if (purpose == AT_BEST) {
      gradient = g.xyz;
      break;
    }
    if (purpose == AT_START) {
      f0 = g.w;
      best.w = abs(f0);
      if (isPolish) {
        gradient = g.xyz;
        let along = select(g.xyz, vec3<f32>(0.0), isHeld);
        slope = max(length(along), search.flat);
        order.direction = along / slope;
      }
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
    if (isPolish) { break; }
    let isOver = !isNeeded || isOn(best.w, slope) || nAxes == N_WAYS;
    purpose = select(AT_END, AT_BEST, isOver);
    point = select(withinBounds(start + order.reach * wayOf(nAxes)), best.xyz, isOver);
  }
  setNormal(order.vertex, gradient);
  vertices[order.vertex] = vec4<f32>(best.xyz, vertices[order.vertex].w);
  let isThere = isOn(best.w, slope);
  if (isPolish) { outcomes[order.vertex] = select(0u, 1u, !isThere || abs(line.best.x) > search.near); }
  else if (!isNeeded) { outcomes[item] = select(0u, 1u, isThere); }
  let isTold = (isPolish && search.isLast != 0u) || (!isPolish && isNeeded);
  isOff[order.vertex] = select(0u, 1u, isTold && best.w > OFF * max(search.most * slope, search.noise));
}
