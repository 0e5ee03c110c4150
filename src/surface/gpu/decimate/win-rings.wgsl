// 1 for every vertex whose claims all hold: no two of them have a neighbour in common. What was around the vertex that it is to be
// moved onto may have changed since it was judged; so whether the mesh stays a manifold is asked again.

@group(0) @binding(0) var<uniform> thinning: Thinning;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> listed: array<u32>;
@group(0) @binding(3) var<storage, read> goals: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read> ringClaims: array<u32>;
@group(0) @binding(6) var<storage, read_write> isWinner: array<u32>;

fn winRing(item: u32) {
  let id = listed[item];
  let claim = claimOf(id);
  var holds = ringClaims[id] == claim;
  let h = goals[id].x - 1u;
  var g = h;
  for (var i = 0u; i < MAX_RING; i++) {
    holds = holds && ringClaims[targetOf(g)] == claim;
    g = nextSpoke(g);
    if (g == h) { break; }
  }
  isWinner[item] = select(0u, 1u, holds && isLinkSound(h, ringSize(h), h));
}
