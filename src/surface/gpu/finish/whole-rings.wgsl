// Going all the way around a vertex, be it on the border or not.

/// Triangles around a vertex, at most.
const MOST_AROUND = 4096u;

/// The half-edge from which all others around its vertex come in turn.
fn firstSpoke(h: u32) -> u32 {
  var g = h;
  for (var i = 0u; i < MOST_AROUND; i++) {
    let twin = twinOf(g);
    if (twin == NONE) { break; }
    let before = nextHalf(twin);
    if (before == h) { break; }
    g = before;
  }
  return g;
}
