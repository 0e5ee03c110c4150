// Pairs the sides of a loop's triangles with each other, leaves those on the loop itself with the chains' segments, and
// puts vertices in the place of places around the loop.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> loops: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> loopVertices: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> isFanned: array<u32>;
@group(0) @binding(4) var<storage, read_write> triangles: array<Triangle>;
/// Two a segment: the half-edge along it and the one against it, + 1.
@group(0) @binding(5) var<storage, read_write> segmentHalves: array<u32>;
/// Of the side from each place to the next one that is left: the half-edge on its other side + 1, or 0 on the loop.
@group(0) @binding(6) var<storage, read_write> sideHalves: array<u32>;

fn pairSide(first: u32, place: u32, half: u32) {
  let other = sideHalves[first + place];
  if (other == 0u) {
    segmentHalves[loopVertices[first + place].z] = half + 1u;
    return;
  }
  triangles[half / 3u].twins[half % 3u] = other - 1u;
  triangles[(other - 1u) / 3u].twins[(other - 1u) % 3u] = half;
}

fn pairSides(item: u32) {
  let first = loops[item].x;
  let n = loops[item].y;
  let isWhole = isFanned[item] == 0u;
  let nEars = select(n - nFanned(loops[item]), max(n, 2u) - 2u, isWhole);
  for (var k = 0u; k < n; k++) { sideHalves[first + k] = 0u; }
  for (var k = 0u; k < nEars; k++) {
    let id = first - 2u * item + k;
    let t = vectorOf(triangles[id].corners);
    pairSide(first, t.x, 3u * id);
    pairSide(first, t.y, 3u * id + 1u);
    if (isWhole && k + 1u == nEars) { pairSide(first, t.z, 3u * id + 2u); }
    // The ear's own side is what is left of the loop there.
    sideHalves[first + t.x] = 3u * id + 3u;
    triangles[id].corners = array<u32, 3>(
      loopVertices[first + t.x].x,
      loopVertices[first + t.y].x,
      loopVertices[first + t.z].x,
    );
    triangles[id].fresh = ALL_FRESH;
  }
}
