// Asks for the corners of the rectangles that are no whole faces.

@group(0) @binding(0) var<storage, read_write> counts: array<u32>;
@group(0) @binding(1) var<storage, read> rects: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> rectCorners: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> sums: array<u32>;
@group(0) @binding(5) var<storage, read_write> requestKeys: array<vec2<u32>>;

fn requestRect(rect: u32) {
  if (rect == 0u) { counts[N_RECT_REQUESTS] = 4u * min(counts[N_FINE_RECTS], arrayLength(&requestKeys) / 4u); }
  let first = 4u * sumBefore(rect);
  if (rects[rect].w == 0u || first + 4u > arrayLength(&requestKeys)) { return; }
  let axis = rects[rect].z;
  let keys = rectCorners[rect];
  let low = pointOf(keys.xy);
  let high = pointOf(keys.zw);
  for (var c = 0u; c < 4u; c++) {
    var corner = low;
    let u = (axis + 1u) % 3u;
    let v = (axis + 2u) % 3u;
    corner[u] = select(low[u], high[u], (c & 1u) != 0u);
    corner[v] = select(low[v], high[v], (c & 2u) != 0u);
    requestKeys[first + c] = keyOf(corner);
  }
}
