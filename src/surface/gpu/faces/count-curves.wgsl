// How many curves each rectangle has: half as many as its sides have roots.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> rects: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> rectCorners: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> edgeEnds: array<u32>;
@group(0) @binding(4) var<storage, read> edgeRoots: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> nCurves: array<u32>;

fn countCurves(rect: u32) {
  let corners = rectCorners[rect];
  let u = (rects[rect].z + 1u) % 3u;
  let v = (rects[rect].z + 2u) % 3u;
  var n = 0u;
  for (var side = 0u; side < 4u; side++) {
    let start = select(corners.x, select(corners.z, corners.y, side == 3u), (side & 1u) == 1u);
    let end = select(select(corners.y, corners.z, side == 2u), corners.w, (side & 1u) == 1u);
    n += rootsOnSide(start, end, select(u, v, side >= 2u));
  }
  nCurves[rect] = n / 2u;
}
