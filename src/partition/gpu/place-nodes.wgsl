// Puts the cells of all groups in their order: the roots, then each group's other cells as it made them. A workgroup takes a
// group; it adds up by itself what the groups before it have.

@group(0) @binding(0) var<uniform> settling: Settling;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
@group(0) @binding(2) var<storage, read> cells: array<Cell>;
@group(0) @binding(3) var<storage, read> totals: array<u32>;
@group(0) @binding(4) var<storage, read> pool: array<u32>;
@group(0) @binding(5) var<storage, read_write> nodes: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> nodeBounds: array<vec4<f32>>;

var<workgroup> sum: atomic<u32>;

@compute @workgroup_size(GROUP)
fn placeNodes(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) nWorkgroups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let group = workgroup.x + workgroup.y * nWorkgroups.x;
  let nRoots = min(counts[N_ROOTS], settling.room);
  let nGroups = (nRoots + ROOTS - 1u) / ROOTS;
  var own = 0u;
  for (var i = t; i < min(group, nGroups); i += GROUP) { own += totals[i]; }
  atomicAdd(&sum, own);
  workgroupBarrier();
  let begin = nRoots + atomicLoad(&sum);
  if (group >= nGroups) { return; }
  var first = group * ROOTS;
  var n = min(ROOTS, nRoots - first);
  var to = first;
  var end = begin;
  while (n > 0u) {
    for (var i = t; i < n; i += GROUP) {
      let cell = cells[first + i];
      let isSplit = nodeState(cell.node) == NODE_SPLIT;
      nodes[to + i] = vec4<u32>(cell.node.xyz, select(0u, begin + cell.node.w, isSplit));
      nodeBounds[to + i] = cell.bounds;
    }
    let next = cells[first].next;
    first = next.x;
    n = next.y;
    to = end;
    end += n;
  }
  if (group == nGroups - 1u && t == 0u) {
    counts[N_NODES] = end;
    counts[N_NODES_WANTED] = nRoots + pool[0];
  }
}
