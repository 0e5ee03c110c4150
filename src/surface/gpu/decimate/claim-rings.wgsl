// Every vertex that is to be removed claims itself and its neighbours; of several claims the one with the largest number
// holds, which changes from pass to pass.

@group(0) @binding(0) var<uniform> thinning: Thinning;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> listed: array<u32>;
@group(0) @binding(3) var<storage, read> goals: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read_write> ringClaims: array<atomic<u32>>;

fn claimRing(item: u32) {
  let id = listed[item];
  let claim = claimOf(id);
  atomicMax(&ringClaims[id], claim);
  let h = goals[id].x - 1u;
  var g = h;
  for (var i = 0u; i < MAX_RING; i++) {
    atomicMax(&ringClaims[targetOf(g)], claim);
    g = nextSpoke(g);
    if (g == h) { break; }
  }
}
