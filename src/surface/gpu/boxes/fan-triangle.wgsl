/// Triangle k of a fan of n.
fn fanTriangle(first: u32, n: u32, id: u32, fan: u32, k: u32) -> u32 {
  let end = counts[N_LOOP_VERTICES] - 2u * counts[N_LOOPS];
  return select(first - 2u * id + k, end + 2u * fan + k + 2u - n, k + 2u >= n);
}
