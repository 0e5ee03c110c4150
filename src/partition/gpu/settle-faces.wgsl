// The second half of settling: faces of settled nodes on which f may vanish and does not increase along the node's own
// direction.

@group(0) @binding(8) var<storage, read> nodeFaces: array<u32>;
@group(0) @binding(9) var<storage, read> listed: array<u32>;

fn settleFacesOf(item: u32) {
  let at = listed[item];
  let id = counts[level.first] + at;
  let node = nodes[id];
  takeNode(node);
  concludeNode(id, at, node, settleFaces(node, nodeFaces[at]));
}
