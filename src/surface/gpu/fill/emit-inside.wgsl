// The vertices inside of loops, after those that are on their leaves' sides.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> loops: array<Loop>;
@group(0) @binding(2) var<storage, read> pool: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> sums: array<u32>;
@group(0) @binding(5) var<storage, read_write> vertices: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> normals: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> marks: array<u32>;

fn emitInside(item: u32) {
  let n = loops[item].inside;
  let first = counts[N_CHAIN_VERTICES] + sumBefore(item);
  if (first + n > arrayLength(&vertices)) { return; }
  for (var i = 0u; i < n; i++) {
    let at = loops[item].filled + i * WORDS_INSIDE;
    if (at + WORDS_INSIDE > arrayLength(&pool)) { return; }
    vertices[first + i] = vec4<f32>(bitcast<vec3<f32>>(vec3<u32>(pool[at], pool[at + 1u], pool[at + 2u])), 0.0);
    let normal = bitcast<vec4<f32>>(vec4<u32>(pool[at + 3u], pool[at + 4u], pool[at + 5u], pool[at + 6u]));
    normals[first + i] = vec4<f32>(normal.xyz, abs(normal.w));
    marks[first + i] = select(0u, MARK_OFF, normal.w < 0.0);
  }
}
