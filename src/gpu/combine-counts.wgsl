// counts[to] = the sum of counts[at] times their factors; or what it was, where that is more and the largest is wanted.

@group(0) @binding(0) var<uniform> params: CombineParams;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;

@compute @workgroup_size(1)
fn combineCounts() {
  let values = vec4<u32>(counts[params.at.x], counts[params.at.y], counts[params.at.z], counts[params.at.w]);
  let terms = values * params.factors;
  let sum = terms.x + terms.y + terms.z + terms.w;
  counts[params.to] = max(sum, select(0u, counts[params.to], params.isMost != 0u));
}
