// Pairs the sides of fans.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> loops: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> loopVertices: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read_write> segmentHalves: array<u32>;

fn pairFan(item: u32) {
  let id = listed[item];
  let first = loops[id].x;
  let n = loops[id].y;
  for (var k = 0u; k < n; k++) {
    let here = fanTriangle(first, n, id, item, k);
    let next = fanTriangle(first, n, id, item, select(k + 1u, 0u, k + 1u == n));
    triangles[here].twins.y = 3u * next + 2u;
    triangles[next].twins.z = 3u * here + 1u;
    segmentHalves[loopVertices[first + k].z] = 3u * here + 1u;
  }
}
