// The second pass: the rectangles themselves, each group's after those of the groups before it. Corners of whole faces are the
// root's; those of the others are asked for.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<uniform> settling: Settling;
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;
@group(0) @binding(3) var<storage, read> nodes: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> roots: array<Root>;
@group(0) @binding(5) var<storage, read> rootsAt: array<u32>;
@group(0) @binding(6) var<storage, read> found: array<vec2<u32>>;
/// Leaf below, leaf above, axis; 0, or one more than the number among those whose corners are asked for.
@group(0) @binding(7) var<storage, read_write> rects: array<vec4<u32>>;
@group(0) @binding(8) var<storage, read_write> rectCorners: array<vec4<u32>>;
/// Four for each of those.
@group(0) @binding(9) var<storage, read_write> requestKeys: array<vec2<u32>>;

var<workgroup> rectsBefore: atomic<u32>;
var<workgroup> fineBefore: atomic<u32>;
var<workgroup> partial: array<vec2<u32>, GROUP>;
/// Where the next rectangle goes, and the next one whose corners are asked for.
var<private> place: vec2<u32>;

fn foundRect(id: u32, root: u32, axis: u32, plane: u32, lo: vec3<u32>, hi: vec3<u32>, other: u32, isAbove: bool) {
  let at = place;
  let isWhole = isWholeFace(axis, plane, lo, hi);
  place += vec2<u32>(1u, select(1u, 0u, isWhole));
  if (at.x >= arrayLength(&rects)) { return; }
  let u = (axis + 1u) % 3u;
  let v = (axis + 2u) % 3u;
  rects[at.x] = vec4<u32>(select(other, id, isAbove), select(id, other, isAbove), axis, select(at.y + 1u, 0u, isWhole));
  if (isWhole) {
    let c = select(0u, 1u << axis, plane != 0u);
    rectCorners[at.x] = vec4<u32>(
      roots[root].corners[c],
      roots[root].corners[c | (1u << u)],
      roots[root].corners[c | (1u << v)],
      roots[root].corners[c | (1u << u) | (1u << v)],
    );
    return;
  }
  if (4u * at.y + 4u > arrayLength(&requestKeys)) { return; }
  let origin = roots[root].box << vec3<u32>(fine.subBits);
  for (var c = 0u; c < 4u; c++) {
    var corner = origin + lo;
    corner[axis] = origin[axis] + plane;
    if ((c & 1u) != 0u) { corner[u] = origin[u] + hi[u]; }
    if ((c & 2u) != 0u) { corner[v] = origin[v] + hi[v]; }
    requestKeys[4u * at.y + c] = keyOf(corner);
  }
}

@compute @workgroup_size(GROUP)
fn emitRects(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) nWorkgroups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let group = workgroup.x + workgroup.y * nWorkgroups.x;
  let id = group * GROUP + t;
  let nNodes = counts[N_NODES];
  var before = vec2<u32>(0u);
  if (group * GROUP < nNodes) {
    for (var i = t; i < group; i += GROUP) { before += found[settling.room + i]; }
  }
  atomicAdd(&rectsBefore, before.x);
  atomicAdd(&fineBefore, before.y);
  var own = vec2<u32>(0u);
  if (id < nNodes) { own = found[id]; }
  partial[t] = own;
  workgroupBarrier();
  if (id >= nNodes) { return; }
  place = vec2<u32>(atomicLoad(&rectsBefore), atomicLoad(&fineBefore));
  for (var i = 0u; i < t; i++) { place += partial[i]; }
  if (id == nNodes - 1u) {
    let n = place + own;
    counts[N_RECTS] = n.x;
    counts[N_FINE_RECTS] = n.y;
    counts[N_RECT_REQUESTS] = 4u * min(n.y, arrayLength(&requestKeys) / 4u);
  }
  visitSides(id);
}
