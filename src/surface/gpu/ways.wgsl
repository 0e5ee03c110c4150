/// The 26 ways from a cube's centre to its corners and the middles of its edges and sides, unit length: both ways along an axis in
/// turn. As in SignProbe (sign-probe.ts), in another order.
const N_WAYS = 26u;

fn wayOf(k: u32) -> vec3<f32> {
  let n = 14u + k / 2u;
  let axis = normalize(vec3<f32>(f32(n % 3u), f32((n / 3u) % 3u), f32(n / 9u)) - 1.0);
  return select(axis, -axis, (k & 1u) == 1u);
}
