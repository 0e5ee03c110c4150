/// Which sides of a triangle lie on seams, see mesh.wgsl: nothing is changed there.
fn seamSides(id: u32, t: vec3<u32>) -> vec3<bool> {
  let seams = vec3<u32>(
    bitcast<u32>(vertices[t.x].w),
    bitcast<u32>(vertices[t.y].w),
    bitcast<u32>(vertices[t.z].w),
  ) >> vec3<u32>(6u);
  return (vectorOf(triangles[id].twins) == vec3<u32>(NONE)) & ((seams & seams.yzx) != vec3<u32>(0u));
}
