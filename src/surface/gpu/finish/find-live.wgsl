// 1 for every triangle that is left, and one of the half-edges that begin at each vertex, + 1; marks those vertices.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(2) var<storage, read_write> isLive: array<u32>;
@group(0) @binding(3) var<storage, read_write> spokes: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> marks: array<atomic<u32>>;

fn findLive(item: u32) {
  let t = vectorOf(triangles[item].corners);
  isLive[item] = select(0u, 1u, t.x != NONE);
  if (t.x == NONE) { return; }
  for (var k = 0u; k < 3u; k++) {
    atomicMax(&spokes[t[k]], 3u * item + k + 1u);
    atomicOr(&marks[t[k]], MARK_AFTER);
  }
}
