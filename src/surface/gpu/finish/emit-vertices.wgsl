// The vertices that are left, with the normals to shade them with: of the field's gradient on every triangle around. At a
// crease the gradient at the vertex itself is that of one side only; a triangle that it does not fit brings its own normal.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(3) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> normals: array<vec4<f32>>;
/// A half-edge of every vertex, + 1; then the vertex's number in the output.
@group(0) @binding(5) var<storage, read_write> spokes: array<u32>;
/// f32[3] each.
@group(0) @binding(6) var<storage, read_write> outPositions: array<f32>;
@group(0) @binding(7) var<storage, read_write> outNormals: array<f32>;

/// Cosine between a vertex's gradient and a triangle's normal from which on the gradient is the triangle's: 20 degrees.
const FITS = 0.94;

fn emitVertex(item: u32) {
  let vertex = listed[item];
  let p = vertices[vertex].xyz;
  let gradient = normals[vertex].xyz;
  let first = firstSpoke(spokes[vertex] - 1u);
  var sum = vec3<f32>(0.0);
  var g = first;
  for (var i = 0u; i < MOST_AROUND; i++) {
    let normal = cross(vertices[targetOf(g)].xyz - p, vertices[originOf(beforeHalf(g))].xyz - p);
    let area = length(normal);
    sum += select(normal, area * gradient, dot(normal, gradient) >= FITS * area);
    g = twinOf(beforeHalf(g));
    if (g == NONE || g == first) { break; }
  }
  let norm = length(sum);
  let direction = select(gradient, sum / max(norm, 1e-37), norm > 0.0);
  for (var k = 0u; k < 3u; k++) {
    outPositions[3u * item + k] = p[k];
    outNormals[3u * item + k] = direction[k];
  }
  spokes[vertex] = item;
}
