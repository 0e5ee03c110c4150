// Takes back what a round noted at half-edges and triangles, and counts the divisions that it refused.

@group(0) @binding(0) var<uniform> round: Round;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> splitEdges: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> isFound: array<u32>;
@group(0) @binding(4) var<storage, read_write> splitIds: array<u32>;
@group(0) @binding(5) var<storage, read_write> claims: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> summary: array<atomic<u32>>;

fn forgetSplit(item: u32) {
  let edge = splitEdges[item];
  if (isFound[item] == REFUSED && round.isCounted != 0u) { atomicAdd(&summary[SUMMARY_REFUSED], 1u); }
  splitIds[edge.x] = 0u;
  atomicStore(&claims[edge.x / 3u], 0u);
  if (edge.y != NONE) {
    splitIds[edge.y] = 0u;
    atomicStore(&claims[edge.y / 3u], 0u);
  }
}
