// Finds the edges on the sides of every rectangle: a side is divided wherever a corner lies on it. Edges on which f may
// vanish are flagged.

@group(0) @binding(0) var<storage, read_write> counts: array<u32>;
@group(0) @binding(1) var<storage, read> rects: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> rectCorners: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> slots: array<u32>;
@group(0) @binding(4) var<storage, read> knownKeys: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> edgeEnds: array<atomic<u32>>;

fn addEdge(start: u32, end: u32, axis: u32, span: f32) {
  let f0 = points[start].w;
  let f1 = points[end].w;
  let isOpen = (f0 >= 0.0) != (f1 >= 0.0) || min(abs(f0), abs(f1)) <= span;
  atomicOr(&edgeEnds[start * 3u + axis], (end + 1u) | select(0u, MAY_VANISH, isOpen));
}

fn linkSide(start: u32, end: u32, axis: u32, span: f32) {
  var current = start;
  var ends: array<u32, 12>;
  ends[0] = end;
  var n = 1u;
  var lower = pointOf(knownKeys[start]);
  while (n > 0u) {
    let next = ends[n - 1u];
    let upper = pointOf(knownKeys[next])[axis];
    let length = upper - lower[axis];
    var middle = NOT_FOUND;
    if (length >= 2u && n < 12u && counts[N_NEW_CORNERS] > 0u) {
      var point = lower;
      point[axis] += length >> 1u;
      middle = findKey(keyOf(point));
    }
    if (middle != NOT_FOUND) {
      ends[n] = middle;
      n++;
      continue;
    }
    addEdge(current, next, axis, span);
    current = next;
    lower[axis] = upper;
    n--;
  }
}

fn linkRect(rect: u32) {
  if (rect == 0u) { counts[N_EDGE_SLOTS] = 3u * min(counts[N_CORNERS], arrayLength(&points)); }
  let corners = rectCorners[rect];
  let u = (rects[rect].z + 1u) % 3u;
  let v = (rects[rect].z + 2u) % 3u;
  let span = bitcast<f32>(rects[rect].w);
  for (var side = 0u; side < 4u; side++) {
    let start = select(select(corners.x, corners.z, side == 1u), select(corners.x, corners.y, side == 3u), side >= 2u);
    let end = select(select(corners.y, corners.w, side == 1u), select(corners.z, corners.w, side == 3u), side >= 2u);
    linkSide(start, end, select(u, v, side >= 2u), span);
  }
}
