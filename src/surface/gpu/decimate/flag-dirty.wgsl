// 1 for every vertex that might be removed: all those off the faces of the domain that have a triangle.

@group(0) @binding(0) var<uniform> thinning: Thinning;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> spokes: array<u32>;
@group(0) @binding(3) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> isDirty: array<u32>;
@group(0) @binding(5) var<storage, read_write> goals: array<vec4<u32>>;

fn flagDirty(item: u32) {
  isDirty[item] = select(0u, 1u, spokes[item] != 0u && bitcast<u32>(vertices[item].w) == 0u);
  goals[item] = vec4<u32>(0u);
}
