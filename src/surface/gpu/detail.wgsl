// The tolerance by place: see DetailMap (detail-map.ts). `detail` and `tolerances` are bound by whoever includes this.

/// Relative slack of a block: a side of a box on a block's face touches the blocks on both sides of it.
const TOUCHES = 1e-5;

/// The least tolerance of the blocks that a box touches, which may be flat; local units.
fn toleranceIn(lo: vec3<f32>, hi: vec3<f32>) -> f32 {
  let top = vec3<i32>(detail.counts) - 1;
  let first = clamp(vec3<i32>(floor((lo - detail.origin) / detail.size - TOUCHES)), vec3<i32>(0), top);
  let last = clamp(vec3<i32>(floor((hi - detail.origin) / detail.size + TOUCHES)), vec3<i32>(0), top);
  var least = tolerances[0];
  if (detail.isUniform != 0u) { return least; }
  least = 3e38;
  for (var z = first.z; z <= last.z; z++) {
    for (var y = first.y; y <= last.y; y++) {
      for (var x = first.x; x <= last.x; x++) {
        least = min(least, tolerances[u32(x) + detail.counts.x * (u32(y) + detail.counts.y * u32(z))]);
      }
    }
  }
  return least;
}
