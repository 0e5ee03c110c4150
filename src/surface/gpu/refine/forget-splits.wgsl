// Takes back what a round noted at half-edges and triangles.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> splitEdges: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> splitIds: array<u32>;
@group(0) @binding(3) var<storage, read_write> claims: array<atomic<u32>>;

fn forgetSplit(item: u32) {
  let edge = splitEdges[item];
  splitIds[edge.x] = 0u;
  atomicStore(&claims[edge.x / 3u], 0u);
  if (edge.y != NONE) {
    splitIds[edge.y] = 0u;
    atomicStore(&claims[edge.y / 3u], 0u);
  }
}
