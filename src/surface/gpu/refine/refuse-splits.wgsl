// Refuses divisions whose vertex found no zero set or would turn a triangle over; claims the triangles of the others.

@group(0) @binding(0) var<uniform> round: Round;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> splitEdges: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(4) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> isFound: array<u32>;
@group(0) @binding(7) var<storage, read_write> splitIds: array<u32>;
/// Of every triangle the complement of the first half-edge that divides it (2 * division, + 1 for the twin), or 0.
@group(0) @binding(8) var<storage, read_write> claims: array<atomic<u32>>;

/// Whether dividing half-edge h at vertex v leaves its triangle's parts facing the right way.
fn isSound(h: u32, v: u32) -> bool {
  if (h == NONE) { return true; }
  let a = originOf(h);
  let b = targetOf(h);
  let c = targetOf(nextHalf(h));
  let whole = normalOf(a, b, c);
  return isFacing(a, v, c, whole) && isFacing(v, b, c, whole);
}

fn refuseSplit(item: u32) {
  let edge = splitEdges[item];
  let v = counts[round.vertices] + item;
  if (isFound[item] == 1u && isSound(edge.x, v) && isSound(edge.y, v)) {
    atomicMax(&claims[edge.x / 3u], ~(2u * item));
    if (edge.y != NONE) { atomicMax(&claims[edge.y / 3u], ~(2u * item + 1u)); }
    return;
  }
  isFound[item] = REFUSED;
  splitIds[edge.x] = 0u;
  if (edge.y != NONE) { splitIds[edge.y] = 0u; }
}
