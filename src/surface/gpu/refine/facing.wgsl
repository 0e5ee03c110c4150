fn normalOf(a: u32, b: u32, c: u32) -> vec3<f32> {
  let p = vertices[a].xyz;
  return cross(vertices[b].xyz - p, vertices[c].xyz - p);
}

/// Whether a triangle faces the way of the surface at its corners, or of the triangle that it comes from.
fn isFacing(a: u32, b: u32, c: u32, whole: vec3<f32>) -> bool {
  let n = normalOf(a, b, c);
  let m = normals[a].xyz + normals[b].xyz + normals[c].xyz;
  return dot(n, m) > length(n) * length(m) * LEAST_FACING || dot(n, whole) > length(n) * length(whole) * LEAST_FACING;
}
