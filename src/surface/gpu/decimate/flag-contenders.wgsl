// 1 for every vertex that has a goal near enough for this pass.

@group(0) @binding(0) var<uniform> thinning: Thinning;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> goals: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> isContender: array<u32>;

fn flagContender(item: u32) {
  let goal = goals[item];
  isContender[item] = select(0u, 1u, goal.x != 0u && bitcast<f32>(goal.y) < thinning.share);
}
