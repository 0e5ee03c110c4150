// The direction in which f increases in the leaf of each loop, zero where none was found: seen along it the surface has one
// sheet, and a loop is a simple polygon.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> chains: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> rects: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> nodeBounds: array<vec4<f32>>;
/// Two a loop, see describe-loops.wgsl.
@group(0) @binding(5) var<storage, read_write> loopNormals: array<vec4<f32>>;

fn orientLoop(item: u32) {
  let half = listed[item];
  let rect = rects[chains[half >> 1u].z & 0x3fffffffu];
  let leaf = select(rect.x, rect.y, (half & 1u) == 1u);
  loopNormals[2u * item] = vec4<f32>(nodeBounds[leaf].xyz, 0.0);
}
