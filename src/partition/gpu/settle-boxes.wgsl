// The first half of settling: every pending node as a whole. Those whose faces have to be looked into are listed.

/// Direction; range of f less the interpolant of its corner values.
@group(0) @binding(8) var<storage, read_write> nodeBounds: array<vec4<f32>>;
/// Faces of every node to look into: facesToTest.
@group(0) @binding(9) var<storage, read_write> nodeFaces: array<u32>;

fn settleBox(item: u32) {
  let id = counts[level.first] + item;
  let node = nodes[id];
  takeNode(node);
  let axis = settleWhole(id, node);
  nodeFaces[item] = select(0u, facesLeft, axis == SETTLED);
  concludeNode(id, item, node, axis);
}
