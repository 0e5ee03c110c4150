// A vertex for every root of every edge.

@group(0) @binding(0) var<uniform> detail: Detail;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> listed: array<u32>;
@group(0) @binding(3) var<storage, read> edgeEnds: array<u32>;
@group(0) @binding(4) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> edgeRoots: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> roots: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> vertices: array<vec4<f32>>;

fn emitEdgeVertices(item: u32) {
  let edge = listed[item];
  let a = points[edge / 3u].xyz;
  let b = points[endOf(edgeEnds[edge])].xyz;
  let found = edgeRoots[edge];
  for (var k = 0u; k < found.y; k++) {
    let vertex = found.x + k;
    if (vertex >= arrayLength(&vertices)) { return; }
    let p = a + roots[item][k] * (b - a);
    vertices[vertex] = vec4<f32>(p, bitcast<f32>(facesAt(p)));
  }
}
