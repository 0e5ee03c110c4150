// Enumerates the rectangles that the faces of one leaf are divided in: see RectTable (surface/rects.ts). Two leaves that
// touch along a face share one rectangle, where their sides overlap; it is found from the lower of the two. Beside a
// neighbour without surface, or none, the leaf has the rectangle for itself.
//
// Two kernels include this, with functions of their own: `foundRect`.

/// The root beside a root: across `axis`, above or below; NONE where there is none.
fn rootBeside(root: u32, axis: u32, isAbove: bool) -> u32 {
  let corner = roots[root].corners[select(0u, 1u << axis, isAbove)];
  let found = rootsAt[corner * 8u + select(1u << axis, 0u, isAbove)];
  return select(found - 1u, NONE, found == 0u);
}

/// Visits the leaves beside one side of leaf `id`.
fn visitSide(id: u32, node: vec4<u32>, axis: u32, isAbove: bool) {
  let lo = nodeBegin(node);
  let hi = lo + nodeExtent(node, fine.subBits);
  let side = 1u << fine.subBits;
  var plane = select(lo[axis], hi[axis], isAbove);
  var start = node.x;
  if (plane == select(0u, side, isAbove)) {
    start = rootBeside(node.x, axis, isAbove);
    if (start == NONE) {
      foundRect(id, node.x, axis, plane, lo, hi, NONE, isAbove);
      return;
    }
  }
  let beside = select(plane, select(side, 0u, isAbove), start != node.x);
  var stack: array<u32, 32>;
  var n = 1u;
  stack[0] = start;
  while (n > 0u) {
    n--;
    let other = stack[n];
    let candidate = nodes[other];
    let begin = nodeBegin(candidate);
    let end = begin + nodeExtent(candidate, fine.subBits);
    if (nodeState(candidate) != NODE_SPLIT) {
      let isLeaf = hasSurface(candidate);
      if (isAbove || !isLeaf) {
        foundRect(id, node.x, axis, plane, max(lo, begin), min(hi, end), select(NONE, other, isLeaf), isAbove);
      }
      continue;
    }
    let cut = nodeAxis(candidate);
    let middle = (begin[cut] + end[cut]) >> 1u;
    if (cut == axis) {
      let isUpper = select(middle < beside, middle <= beside, isAbove);
      stack[n] = candidate.w + select(0u, 1u, isUpper);
      n++;
      continue;
    }
    if (middle > lo[cut] && n < 32u) {
      stack[n] = candidate.w;
      n++;
    }
    if (middle < hi[cut] && n < 32u) {
      stack[n] = candidate.w + 1u;
      n++;
    }
  }
}

/// Whether a rectangle across `axis` is a face of its root.
fn isWholeFace(axis: u32, plane: u32, lo: vec3<u32>, hi: vec3<u32>) -> bool {
  let u = (axis + 1u) % 3u;
  let v = (axis + 2u) % 3u;
  let side = 1u << fine.subBits;
  return (plane & (side - 1u)) == 0u && hi[u] - lo[u] == side && hi[v] - lo[v] == side;
}

fn visitSides(id: u32) {
  let node = nodes[id];
  if (!hasSurface(node)) { return; }
  for (var side = 0u; side < 6u; side++) { visitSide(id, node, side >> 1u, (side & 1u) == 1u); }
}
