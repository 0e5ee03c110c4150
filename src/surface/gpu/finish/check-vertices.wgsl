// How far the mesh extends, which of its vertices are off the zero set or at one place with another, and how many triangles there are
// around vertices, going around each from one of them: three times as many as there are triangles, unless one vertex joins several fans.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read_write> slots: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> summary: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read> spokes: array<u32>;
@group(0) @binding(6) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> marks: array<u32>;

fn keyOfItem(vertex: u32) -> vec3<u32> {
  // One zero, be it negative or not.
  return bitcast<vec3<u32>>(vertices[vertex].xyz + vec3<f32>(0.0));
}

/// Numbers in the order of their values.
fn orderOf(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn checkVertex(item: u32) {
  let vertex = listed[item];
  let p = vertices[vertex].xyz;
  for (var k = 0u; k < 3u; k++) {
    let order = orderOf(p[k]);
    atomicMax(&summary[SUMMARY_LOW + k], ~order);
    atomicMax(&summary[SUMMARY_HIGH + k], order);
  }
  let first = firstSpoke(spokes[vertex] - 1u);
  var n = 0u;
  var g = first;
  for (var i = 0u; i < MOST_AROUND; i++) {
    n++;
    g = twinOf(beforeHalf(g));
    if (g == NONE || g == first) { break; }
  }
  atomicAdd(&summary[SUMMARY_CORNERS], n);
  atomicAdd(&summary[SUMMARY_OFF], marks[vertex] & MARK_OFF);
  insert(vertex, keyOfItem(vertex));
}
