/// The samples to be taken of a triangle, a bit each: of its inside and its new sides, a side by one of its two triangles.
/// @param skipped bits of the sides, and FRESH for the inside, that are left for later.
fn chosenSamples(id: u32, skipped: u32) -> u32 {
  var chosen = 0u;
  let fresh = triangles[id].fresh & ALL_FRESH & ~skipped;
  for (var k = 0u; k < round.nPattern; k++) {
    let side = PATTERN[k].w;
    let isOwn = side == 3u || 3u * id + side <= triangles[id].twins[min(side, 2u)];
    chosen |= select(0u, 1u << k, ((fresh >> side) & 1u) != 0u && isOwn);
  }
  return select(chosen, 0u, triangles[id].corners[0] == NONE);
}
