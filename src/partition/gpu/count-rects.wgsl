// The first pass over the rectangles: how many each leaf finds, and how many of them are no whole faces of roots; a workgroup
// takes GROUP nodes. Also counts the leaves that did not settle.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<uniform> settling: Settling;
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read> nodes: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> roots: array<Root>;
@group(0) @binding(5) var<storage, read> rootsAt: array<u32>;
/// Of each node, then, from the room for nodes on, of each group.
@group(0) @binding(6) var<storage, read_write> found: array<vec2<u32>>;

var<workgroup> nRects: atomic<u32>;
var<workgroup> nFine: atomic<u32>;
var<private> own: vec2<u32>;

fn foundRect(id: u32, root: u32, axis: u32, plane: u32, lo: vec3<u32>, hi: vec3<u32>, other: u32, isAbove: bool) {
  own += vec2<u32>(1u, select(1u, 0u, isWholeFace(axis, plane, lo, hi)));
}

@compute @workgroup_size(GROUP)
fn countRects(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) nWorkgroups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let group = workgroup.x + workgroup.y * nWorkgroups.x;
  let id = group * GROUP + t;
  let nNodes = atomicLoad(&counts[N_NODES]);
  if (id < nNodes) {
    if (nodeState(nodes[id]) == NODE_UNSETTLED) { atomicAdd(&counts[N_UNSETTLED], 1u); }
    visitSides(id);
    found[id] = own;
    atomicAdd(&nRects, own.x);
    atomicAdd(&nFine, own.y);
  }
  workgroupBarrier();
  if (t == 0u && id < nNodes) { found[settling.room + group] = vec2<u32>(atomicLoad(&nRects), atomicLoad(&nFine)); }
}
