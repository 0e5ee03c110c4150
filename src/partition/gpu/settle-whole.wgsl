/// Settles a node as a whole: EMPTY, SETTLED (with `facesLeft` to look into), or the axis to bisect it along.
fn settleWhole(id: u32, node: vec4<u32>) -> u32 {
  beginRegion(nodeLo, nodeHi);
  return concludeWhole(id, nodeExtent(node, fine.subBits), findDirection());
}

/// @param direction in which f increases in the whole node, or zero.
fn concludeWhole(id: u32, extent: vec3<u32>, direction: vec3<f32>) -> u32 {
  let isEmpty = !isOverflow && isTold();
  let isFound = any(direction != vec3<f32>(0.0)) && !isOverflow;
  facesLeft = select(0u, facesToTest(holdsAcross(direction)), nUnits > 0u);
  nodeBounds[id] = vec4<f32>(direction, select(fError.y - fError.x, 3e38, isOverflow));
  if (isEmpty) { return EMPTY; }
  if (isFound) { return SETTLED; }
  if (isOverflow) { return longestAxis(extent, rootSize * (nodeHi - nodeLo)); }
  return worstAxis(extent, vec3<bool>(true));
}
