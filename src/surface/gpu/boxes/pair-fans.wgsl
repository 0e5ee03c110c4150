// Pairs the sides of fans. Counts those that stand where no ear was left: their loop is no disc by what is known of it.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> loops: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> loopVertices: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read_write> segmentHalves: array<u32>;

/// See pair-sides.wgsl.
@group(0) @binding(6) var<storage, read> sideHalves: array<u32>;
@group(0) @binding(7) var<storage, read_write> summary: array<atomic<u32>>;

fn pairFan(item: u32) {
  let id = listed[item];
  let l = loops[id];
  let m = nFanned(l);
  if (l.w == 0u && l.y <= MAX_VERTICES) { atomicAdd(&summary[SUMMARY_UNSOUND], 1u); }
  var place = firstFanned(l);
  for (var k = 0u; k < m; k++) {
    let here = fanTriangle(l, m, id, item, k);
    let next = fanTriangle(l, m, id, item, select(k + 1u, 0u, k + 1u == m));
    triangles[here].twins[1] = 3u * next + 2u;
    triangles[next].twins[2] = 3u * here + 1u;
    let other = sideHalves[l.x + place];
    if (other == 0u) { segmentHalves[loopVertices[l.x + place].z] = 3u * here + 1u; }
    else {
      triangles[here].twins[0] = other - 1u;
      triangles[(other - 1u) / 3u].twins[(other - 1u) % 3u] = 3u * here;
    }
    place = nextFanned(l, place);
  }
}
