// Chains around boxes. Every chain is seen from both leaves beside its rectangle: half-chain 2 * chain runs along the
// chain around the leaf below, 2 * chain + 1 against it around the leaf above; so each leaf lies on the same side of all
// its half-chains. At an edge vertex a leaf has one half-chain that ends and one that begins there.

/// The leaf of a half-chain, or NONE; NONE also where it is another tile's.
fn leafOf(half: u32) -> u32 {
  let rect = rects[chains[half >> 1u].z & 0x3fffffffu];
  let leaf = select(rect.x, rect.y, (half & 1u) == 1u);
  if (leaf == NONE) { return NONE; }
  let box = roots[nodes[leaf].x].box;
  return select(NONE, leaf, all(box >= detail.tileFirst) && all(box < detail.tileEnd));
}

/// Which quarter around an edge vertex a leaf takes: by where it begins. Two leaves never begin in the same one.
fn quarterOf(leaf: u32, vertex: u32) -> u32 {
  let node = nodes[leaf];
  let begin = (roots[node.x].box << vec3<u32>(fine.subBits)) + nodeBegin(node);
  let place = places[vertex];
  let u = (place.w + 1u) % 3u;
  let v = (place.w + 2u) % 3u;
  return select(0u, 1u, begin[u] >= place[u]) | select(0u, 2u, begin[v] >= place[v]);
}
