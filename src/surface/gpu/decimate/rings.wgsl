// Going around a vertex, from half-edge to half-edge that begin there.

/// The next half-edge around the vertex that h begins at; NONE at the border.
fn nextSpoke(h: u32) -> u32 { return twinOf(beforeHalf(h)); }

/// How many triangles there are around the vertex that h begins at; 0 where it is on the border, or there are too many.
fn ringSize(h: u32) -> u32 {
  var n = 0u;
  var g = h;
  for (var i = 0u; i < MAX_RING; i++) {
    g = nextSpoke(g);
    n++;
    if (g == NONE) { return 0u; }
    if (g == h) { return n; }
  }
  return 0u;
}
