// 1 for every rectangle whose corners are to be numbered.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> rects: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> isFine: array<u32>;

fn flagRect(rect: u32) { isFine[rect] = rects[rect].w; }
