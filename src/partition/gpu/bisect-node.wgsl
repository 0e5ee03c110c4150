/// Makes the children of a node that is to be bisected; where there is no room for them it stays unsettled.
/// @param child the first one's number.
fn bisect(id: u32, child: u32) {
  let node = nodes[id];
  if (child + 2u > level.room) {
    nodes[id] = vec4<u32>(node.xy, (node.z & 0xfffu) | (NODE_UNSETTLED << 12u), node.w);
    return;
  }
  nodes[id] = vec4<u32>(node.xyz, child);
  let axis = nodeAxis(node);
  let half = nodeExtent(node, fine.subBits)[axis] >> 1u;
  let depth = (node.z & 0xfffu) + (1u << (4u * axis));
  nodes[child] = vec4<u32>(node.x, node.y, depth, 0u);
  nodes[child + 1u] = vec4<u32>(node.x, node.y + (half << (10u * axis)), depth, 0u);
}

/// The children that there is room for, of so many that are wanted.
fn childrenWithin(end: u32, wanted: u32) -> u32 { return min(wanted, (max(level.room, end) - end) & ~1u); }
