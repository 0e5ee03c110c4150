// Puts vertices on the zero set: along a direction in which f increases, at most as far as the reach; and takes the gradient
// there.
//
// Generated code stands around this: fieldAt, fieldWithGradient, searchLine.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> search: Search;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> casts: array<Cast>;
@group(0) @binding(4) var<storage, read_write> vertices: array<vec4<f32>>;
/// Unit normal, or zero where there is none to tell; slope.
@group(0) @binding(5) var<storage, read_write> normals: array<vec4<f32>>;

fn isOn(f: f32, slope: f32) -> bool { return abs(f) <= max(search.most * slope, search.noise); }

/// Looks along the 13 axes of a cube, both ways, where a line found nothing: between creases a normal may miss the zero set.
fn searchAround(p: vec3<f32>, f0: f32, slope: f32, reach: f32, found: vec4<f32>) -> vec4<f32> {
  var best = found;
  for (var k = 14u; k < 27u && !isOn(best.w, slope); k++) {
    let axis = normalize(vec3<f32>(f32(k % 3u), f32((k / 3u) % 3u), f32(k / 9u)) - 1.0);
    for (var side = 0u; side < 2u; side++) {
      let d = select(axis, -axis, side == 1u);
      if ((fieldAt(p + reach * d) >= 0.0) == (f0 >= 0.0)) { continue; }
      let toward = select(d, -d, f0 >= 0.0);
      let at = searchLine(p, f0, toward, 2.0 * abs(f0) / reach, reach);
      if (at.y < best.w) { best = vec4<f32>(p + at.x * toward, at.y); }
    }
  }
  return best;
}

fn castVertex(item: u32) {
  let order = casts[item];
  if (order.vertex >= arrayLength(&vertices)) { return; }
  let slope = select(max(order.slope, search.flat), search.usual, order.slope == 0.0);
  let start = order.position;
  let f0 = fieldAt(start);
  let best = searchLine(start, f0, order.direction, slope, order.reach);
  var p = start + best.x * order.direction;
  var off = best.y;
  if (IS_NEEDED) {
    let around = searchAround(start, f0, slope, order.reach, vec4<f32>(p, off));
    p = around.xyz;
    off = around.w;
    if (off > OFF * max(search.most * slope, search.noise)) { atomicAdd(&summary[SUMMARY_OFF], 1u); }
  } else {
    isFound[item] = select(0u, 1u, isOn(off, slope));
  }
  vertices[order.vertex] = vec4<f32>(p, vertices[order.vertex].w);
  setNormal(order.vertex, fieldWithGradient(p).xyz);
}
