// Dense marching cubes on the GPU: a lattice of values, counts per lattice point, and, after scans, vertices and
// triangles. A lattice point owns the edges that leave it along +x, +y, +z and the cell of which it is corner 0, so
// every edge is crossed once and vertices are shared. Inside is f < 0.
//
// The constants TABLE_WORDS and FIRST_TRIANGLE, struct March and itemIndex stand before this (marching-cubes.ts), and
// one of the two sets of bindings.

fn pointAt(i: u32) -> vec3<u32> {
  let side = march.cells + 1u;
  return vec3<u32>(i % side.x, (i / side.x) % side.y, i / (side.x * side.y));
}

fn indexOf(p: vec3<u32>) -> u32 {
  let side = march.cells + 1u;
  return p.x + side.x * (p.y + side.y * p.z);
}

fn isInside(p: vec3<u32>) -> bool {
  return values[indexOf(p)] < 0.0;
}

/// Which of the point's three edges the surface crosses.
fn crossings(p: vec3<u32>) -> vec3<bool> {
  let inside = isInside(p);
  var crossed = vec3<bool>(false);
  for (var axis = 0u; axis < 3u; axis++) {
    if (p[axis] >= march.cells[axis]) { continue; }
    var q = p;
    q[axis]++;
    crossed[axis] = isInside(q) != inside;
  }
  return crossed;
}

/// Marching cubes' case of the point's cell: bit c where corner c is inside.
fn caseOf(p: vec3<u32>) -> u32 {
  var signs = 0u;
  for (var c = 0u; c < 8u; c++) {
    if (isInside(p + (vec3<u32>(c, c >> 1u, c >> 2u) & vec3<u32>(1u)))) { signs |= 1u << c; }
  }
  return signs;
}
