/// How many sides of a loop are fanned: those of what clipping ears left. A longer loop is fanned as it is.
fn nFanned(l: vec4<u32>) -> u32 { return select(countOneBits(l.z), l.y, l.y > MAX_VERTICES); }

/// The place of the side after that at place k.
fn nextFanned(l: vec4<u32>, k: u32) -> u32 {
  if (l.y > MAX_VERTICES) { return select(k + 1u, 0u, k + 1u == l.y); }
  let above = select(l.z & (0xfffffffeu << k), 0u, k == 31u);
  return firstTrailingBit(select(l.z, above, above != 0u));
}

fn firstFanned(l: vec4<u32>) -> u32 { return select(firstTrailingBit(l.z), 0u, l.y > MAX_VERTICES); }

/// Triangle k of a fan of m sides; it comes after the ears of its loop, but for the last two.
fn fanTriangle(l: vec4<u32>, m: u32, id: u32, fan: u32, k: u32) -> u32 {
  let slot = l.y - m + k;
  let end = counts[N_LOOP_VERTICES] - 2u * counts[N_LOOPS];
  return select(l.x - 2u * id + slot, end + 2u * fan + slot + 2u - l.y, slot + 2u >= l.y);
}
