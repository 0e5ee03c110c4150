// Moves flagged vertices by a few steps of single precision, toward the middle of their neighbours along the surface: that
// leaves them on the zero set to that precision, and their triangles have an area.

@group(0) @binding(0) var<uniform> finish: Finish;
@group(0) @binding(1) var<uniform> detail: Detail;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(4) var<storage, read> spokes: array<u32>;
@group(0) @binding(5) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> isFlat: array<u32>;
@group(0) @binding(7) var<storage, read_write> vertices: array<vec4<f32>>;

fn moveFlat(vertex: u32) {
  if (isFlat[vertex] == 0u || spokes[vertex] == 0u) { return; }
  let p = vertices[vertex];
  let first = firstSpoke(spokes[vertex] - 1u);
  var sum = vec3<f32>(0.0);
  var g = first;
  // Of two neighbours one moves, so that no vertex moves while another one looks at it.
  var isMoved = true;
  for (var i = 0u; i < MOST_AROUND; i++) {
    let other = targetOf(g);
    isMoved = isMoved && (isFlat[other] == 0u || other < vertex);
    sum += vertices[other].xyz - p.xyz;
    g = twinOf(beforeHalf(g));
    if (g == NONE || g == first) { break; }
  }
  let normal = normals[vertex].xyz;
  let faces = vec3<u32>(bitcast<u32>(p.w));
  // What lies on a seam stays as it is (mesh.wgsl).
  if (faces.x >= 64u) { return; }
  let isHeld = (faces & vec3<u32>(3u, 12u, 48u)) != vec3<u32>(0u);
  let along = select(sum - dot(sum, normal) * normal, vec3<f32>(0.0), isHeld);
  let size = length(along);
  if (size == 0.0 || !isMoved) { return; }
  vertices[vertex] = vec4<f32>(clamp(p.xyz + along * (finish.step / size), detail.low, detail.high), p.w);
}
