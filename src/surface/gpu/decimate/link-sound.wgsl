/// Whether moving v, with n triangles around half-edge h, along half-edge g keeps the mesh a manifold: its ends have just
/// the two apexes in common.
fn isLinkSound(h: u32, n: u32, g: u32) -> bool {
  let first = twinOf(g);
  let m = ringSize(first);
  if (m == 0u || m + n <= 6u) { return false; }
  var nCommon = 0u;
  var s = first;
  for (var i = 0u; i < m; i++) {
    let u = targetOf(s);
    var r = h;
    for (var j = 0u; j < n; j++) {
      if (targetOf(r) == u) { nCommon++; }
      r = nextSpoke(r);
    }
    s = nextSpoke(s);
  }
  return nCommon == 2u;
}
