// What each divided triangle becomes: the divisions of its sides, its twins before, and how many triangles are added.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> splitEdges: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> splitIds: array<u32>;
@group(0) @binding(4) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read_write> nChildren: array<u32>;
/// Divisions of the three sides + 1, or 0; triangle.
@group(0) @binding(6) var<storage, read_write> divided: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read_write> oldTwins: array<vec4<u32>>;

fn countChildren(item: u32) {
  let claim = listed[item];
  let edge = splitEdges[claim >> 1u];
  let id = select(edge.x, edge.y, (claim & 1u) == 1u) / 3u;
  let d = vec4<u32>(splitIds[3u * id], splitIds[3u * id + 1u], splitIds[3u * id + 2u], id);
  divided[item] = d;
  oldTwins[item] = vec4<u32>(vectorOf(triangles[id].twins), 0u);
  nChildren[item] = countSplits(d.xyz);
}
