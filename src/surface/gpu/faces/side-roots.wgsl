/// Roots on one side of a rectangle.
fn rootsOnSide(start: u32, end: u32, axis: u32) -> u32 {
  var n = 0u;
  var current = start;
  for (var step = 0u; step < MAX_STEPS && current != end; step++) {
    let edge = current * 3u + axis;
    n += edgeRoots[edge].y;
    if (edgeEnds[edge] == 0u) { break; }
    current = endOf(edgeEnds[edge]);
  }
  return n;
}
