@group(0) @binding(4) var<storage, read> vertices: array<vec4<f32>>;

fn keyOfItem(vertex: u32) -> vec3<u32> {
  // One zero, be it negative or not.
  return bitcast<vec3<u32>>(vertices[vertex].xyz + vec3<f32>(0.0));
}

fn findTwinVertex(item: u32) { insert(listed[item], keyOfItem(listed[item])); }
