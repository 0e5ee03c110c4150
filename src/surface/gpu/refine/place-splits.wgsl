// The vertices that divide edges: beside the place that was found to stand off, on the zero set along the normals of both ends.

@group(0) @binding(0) var<uniform> round: Round;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> splitEdges: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(4) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> listed: array<u32>;
@group(0) @binding(6) var<storage, read> offPlaces: array<u32>;
@group(0) @binding(7) var<storage, read_write> vertices: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> casts: array<Cast>;

/// How far from the middle, as a share of the edge.
const REACH = 0.7;

fn placeSplit(item: u32) {
  let h = splitEdges[item].x;
  let start = originOf(h);
  let end = targetOf(h);
  let vertex = counts[round.vertices] + item;
  if (vertex >= arrayLength(&vertices)) { return; }
  let a = vertices[start];
  let b = vertices[end];
  let faces = bitcast<u32>(a.w) & bitcast<u32>(b.w);
  let isHeld = (vec3<u32>(faces) & vec3<u32>(3u, 12u, 48u)) != vec3<u32>(0u);
  let sum = select(normals[start].xyz + normals[end].xyz, vec3<f32>(0.0), isHeld);
  let share = f32(offPlaces[listed[item]]) / 12.0;
  let place = mix(a.xyz, b.xyz, share);
  vertices[vertex] = vec4<f32>(place, bitcast<f32>(faces));
  let slope = 0.5 * (normals[start].w + normals[end].w);
  casts[item] = Cast(place, vertex, sum / max(length(sum), 1e-20), REACH * distance(a.xyz, b.xyz), slope);
}
