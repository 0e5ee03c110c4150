// The plane in which each loop is filled: orthogonal to its own normal (Newell's).

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> loopVertices: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> loops: array<vec4<u32>>;
/// Unit normal; square of the loop's extent.
@group(0) @binding(4) var<storage, read_write> loopNormals: array<vec4<f32>>;
/// Place in the plane; then as bits vertex and sides.
@group(0) @binding(5) var<storage, read_write> loopPlaces: array<vec4<f32>>;

fn describeLoop(item: u32) {
  let first = loops[item].x;
  let n = loops[item].y;
  let origin = vertices[loopVertices[first].x].xyz;
  var sum = vec3<f32>(0.0);
  var extent2 = 0.0;
  var before = vec3<f32>(0.0);
  for (var k = 1u; k < n; k++) {
    let p = vertices[loopVertices[first + k].x].xyz - origin;
    sum += cross(before, p);
    extent2 = max(extent2, dot(p, p));
    before = p;
  }
  let norm = length(sum);
  let normal = select(sum / max(norm, 1e-38), vec3<f32>(0.0, 0.0, 1.0), norm == 0.0);
  loopNormals[item] = vec4<f32>(normal, extent2);
  let a = abs(normal);
  let axis = select(select(vec3<f32>(0.0, 0.0, 1.0), vec3<f32>(0.0, 1.0, 0.0), a.y <= a.z), vec3<f32>(1.0, 0.0, 0.0), a.x <= a.y && a.x <= a.z);
  let e1 = normalize(axis - dot(axis, normal) * normal);
  let e2 = cross(normal, e1);
  for (var k = 0u; k < n; k++) {
    let vertex = loopVertices[first + k];
    let p = vertices[vertex.x].xyz - origin;
    loopPlaces[first + k] = vec4<f32>(dot(p, e1), dot(p, e2), bitcast<f32>(vertex.x), bitcast<f32>(vertex.y));
  }
}
