// Fans the loops that could not be filled otherwise around a vertex of their own, which is to be put on the zero set. The
// last two triangles of a fan come after those of all loops.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> loops: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> loopVertices: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> loopNormals: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> vertices: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(7) var<storage, read_write> casts: array<Cast>;

fn fanLoop(item: u32) {
  let id = listed[item];
  let first = loops[id].x;
  let n = loops[id].y;
  let centre = counts[N_CHAIN_VERTICES] + item;
  if (centre >= arrayLength(&vertices)) { return; }
  var sum = vec3<f32>(0.0);
  for (var k = 0u; k < n; k++) {
    let a = loopVertices[first + k].x;
    let b = loopVertices[first + select(k + 1u, 0u, k + 1u == n)].x;
    sum += vertices[a].xyz;
    let triangle = fanTriangle(first, n, id, item, k);
    triangles[triangle].corners = vec3<u32>(a, b, centre);
    triangles[triangle].fresh = ALL_FRESH;
  }
  vertices[centre] = vec4<f32>(sum / f32(n), 0.0);
  casts[item] = Cast(sum / f32(n), centre, loopNormals[id].xyz, sqrt(loopNormals[id].w), 0.0);
}
