// One of the half-edges that begin at every vertex, + 1; 0 for vertices without a triangle. Marks the others.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(2) var<storage, read_write> thinned: array<Thinned>;
@group(0) @binding(3) var<storage, read_write> marks: array<atomic<u32>>;

fn findSpokes(item: u32) {
  let t = vectorOf(triangles[item].corners);
  if (t.x == NONE) { return; }
  for (var k = 0u; k < 3u; k++) {
    atomicMax(&thinned[t[k]].spoke, 3u * item + k + 1u);
    atomicOr(&marks[t[k]], MARK_BEFORE);
  }
}
