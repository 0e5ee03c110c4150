/// Looks into faces of a settled node: SETTLED, or the axis to bisect it along because one may hide a closed curve.
fn settleFaces(node: vec4<u32>, faces: u32) -> u32 {
  let extent = nodeExtent(node, fine.subBits);
  var found = SETTLED;
  var left = faces;
  while (left != 0u && found == SETTLED) {
    let face = firstTrailingBit(left);
    left &= left - 1u;
    let axis = face >> 1u;
    var lo = nodeLo;
    var hi = nodeHi;
    if ((face & 1u) == 1u) { lo[axis] = hi[axis]; } else { hi[axis] = lo[axis]; }
    beginRegion(lo, hi);
    found = concludeFace(extent, axis, findDirection());
  }
  return found;
}

/// @param direction in which f increases in the whole face, or zero.
fn concludeFace(extent: vec3<u32>, axis: u32, direction: vec3<f32>) -> u32 {
  let isClear = !isOverflow && (nUnits == 0u || isTold() || any(direction != vec3<f32>(0.0)));
  if (isClear) { return SETTLED; }
  return worstAxis(extent, vec3<bool>(axis != 0u, axis != 1u, axis != 2u));
}
