// Where each edge's roots are among the vertices, and where each of those vertices lies on the lattice.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> sums: array<u32>;
@group(0) @binding(4) var<storage, read> nRoots: array<u32>;
@group(0) @binding(5) var<storage, read> knownKeys: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> edgeRoots: array<vec2<u32>>;
/// The lower corner of the vertex's edge, and its axis.
@group(0) @binding(7) var<storage, read_write> places: array<vec4<u32>>;

fn placeRoots(item: u32) {
  let edge = listed[item];
  let first = sumBefore(item);
  edgeRoots[edge] = vec2<u32>(first, nRoots[item]);
  let place = vec4<u32>(pointOf(knownKeys[edge / 3u]), edge % 3u);
  for (var k = 0u; k < nRoots[item] && first + k < arrayLength(&places); k++) { places[first + k] = place; }
}
