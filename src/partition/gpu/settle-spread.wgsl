// Both halves of settling at once, for few nodes where there are many processors: a node and each of its faces have an
// invocation of their own, so that a node takes the time of one region and not of seven. What comes out is the same.

/// Invocations of a node: six faces, the node itself, and one that is left over.
const SPREAD = 8u;
const PARTS = 6u;
const GROUP = 64u;

/// By invocation: how its region turned out.
var<workgroup> outcomes: array<u32, GROUP>;

@compute @workgroup_size(GROUP)
fn settleSpread(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let n = min(counts[level.pending], arrayLength(&nChildren));
  let first = counts[level.first];
  let perGroup = GROUP / SPREAD;
  let part = local % SPREAD;
  for (var start = group.x * perGroup; start < n; start += nGroups.x * perGroup) {
    let item = start + local / SPREAD;
    let isNode = item < n && part <= PARTS;
    let id = first + item;
    var node = vec4<u32>(0u);
    if (isNode) {
      node = nodes[id];
      takeNode(node);
      outcomes[local] = settlePart(id, node, part);
    }
    workgroupBarrier();
    // All of them have read the node.
    storageBarrier();
    if (isNode && part == PARTS) {
      var axis = outcomes[local];
      var left = select(0u, facesLeft, axis == SETTLED);
      while (left != 0u && axis == SETTLED) {
        axis = outcomes[local - PARTS + firstTrailingBit(left)];
        left &= left - 1u;
      }
      concludeNode(id, item, node, axis, 0u);
    }
    workgroupBarrier();
  }
}

/// Settles the node as a whole, or looks into one of its faces.
fn settlePart(id: u32, node: vec4<u32>, part: u32) -> u32 {
  let isNode = part == PARTS;
  beginPart(isNode, part);
  return concludeRegion(id, nodeExtent(node, fine.subBits), select(part >> 1u, WHOLE, isNode), findDirection());
}
