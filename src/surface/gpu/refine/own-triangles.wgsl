// 1 for the first half-edge that divides each triangle.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> splitEdges: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> isFound: array<u32>;
@group(0) @binding(3) var<storage, read> claims: array<u32>;
@group(0) @binding(4) var<storage, read_write> isOwner: array<u32>;

fn ownTriangle(item: u32) {
  let edge = splitEdges[item >> 1u];
  let h = select(edge.x, edge.y, (item & 1u) == 1u);
  isOwner[item] = select(0u, 1u, isFound[item >> 1u] == 1u && h != NONE && claims[h / 3u] == ~item);
}
