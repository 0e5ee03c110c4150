// counts[to] = the sum of counts[at] times their factors.

@group(0) @binding(0) var<uniform> params: CombineParams;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;

@compute @workgroup_size(1)
fn combineCounts() {
  let values = vec4<u32>(counts[params.at.x], counts[params.at.y], counts[params.at.z], counts[params.at.w]);
  let terms = values * params.factors;
  counts[params.to] = terms.x + terms.y + terms.z + terms.w;
}
