// One node after the other, an invocation each: as a whole, faces of it, or both (`Level.part`). Regions are taken up at one
// place in the text.

/// The nodes whose faces are looked into, where that is all.
@group(0) @binding(9) var<storage, read> listed: array<u32>;

fn settleNode(item: u32) {
  let isFaces = level.part == PART_FACES;
  let at = select(item, listed[select(0u, item, isFaces)], isFaces);
  let id = counts[level.first] + at;
  let node = nodes[id];
  takeNode(node);
  let extent = nodeExtent(node, fine.subBits);
  var left = select(0u, nChildren[at] >> FACES_AT, isFaces);
  var isWhole = !isFaces;
  var axis = SETTLED;
  for (;;) {
    let face = firstTrailingBit(left);
    left &= left - 1u;
    beginPart(isWhole, face);
    axis = concludeRegion(id, extent, select(face >> 1u, WHOLE, isWhole), findDirection());
    left = select(left, facesLeft, isWhole);
    isWhole = false;
    if (axis != SETTLED || left == 0u || level.part == PART_WHOLE) { break; }
  }
  concludeNode(id, at, node, axis, select(0u, left, axis == SETTLED));
}
