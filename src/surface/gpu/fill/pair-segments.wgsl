// Pairs the triangles on both sides of every segment; one that has a triangle on one side only is on the mesh's border.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> segmentHalves: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> triangles: array<Triangle>;

fn pairSegment(item: u32) {
  let halves = segmentHalves[item];
  if (halves.x != 0u) { triangles[(halves.x - 1u) / 3u].twins[(halves.x - 1u) % 3u] = halves.y - 1u; }
  if (halves.y != 0u) { triangles[(halves.y - 1u) / 3u].twins[(halves.y - 1u) % 3u] = halves.x - 1u; }
}
