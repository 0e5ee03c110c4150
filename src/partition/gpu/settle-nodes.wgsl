// Both halves of settling at once, for few nodes.

/// Direction; range of f less the interpolant of its corner values.
@group(0) @binding(8) var<storage, read_write> nodeBounds: array<vec4<f32>>;

fn settleNode(item: u32) {
  let id = counts[level.first] + item;
  let node = nodes[id];
  takeNode(node);
  var axis = settleWhole(id, node);
  if (axis == SETTLED) { axis = settleFaces(node, facesLeft); }
  concludeNode(id, item, node, axis);
}
