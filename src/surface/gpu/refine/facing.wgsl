/// Least cosine between a new triangle's normal and the surface's, or the divided triangle's.
const LEAST_FACING = 0.1;

fn normalOf(a: u32, b: u32, c: u32) -> vec3<f32> {
  let p = vertices[a].xyz;
  return cross(vertices[b].xyz - p, vertices[c].xyz - p);
}

fn isFacing(a: u32, b: u32, c: u32, whole: vec3<f32>) -> bool {
  let n = normalOf(a, b, c);
  let m = normals[a].xyz + normals[b].xyz + normals[c].xyz;
  return dot(n, m) > length(n) * length(m) * LEAST_FACING || dot(n, whole) > length(n) * length(whole) * LEAST_FACING;
}
