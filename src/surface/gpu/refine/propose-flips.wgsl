// Edges that were not divided may be flipped: where a surface bends sharply across an edge, no vertex beside its middle is any
// good. Flipped, the edge joins the corners c and d opposite to it.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> splitEdges: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(4) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> normals: array<vec4<f32>>;
/// Of every triangle who divided it in this round, or 0.
@group(0) @binding(6) var<storage, read> claims: array<u32>;
/// a, b, c, d; a is NONE where it cannot be, and has BETTER set where the new triangles fit their corners' normals better by far.
@group(0) @binding(7) var<storage, read_write> flips: array<vec4<u32>>;

/// Whether an edge leads from the vertex that h begins at to vertex v; also where there are too many to tell.
fn hasNeighbour(h: u32, v: u32) -> bool {
  var g = h;
  var isForward = true;
  for (var i = 0u; i < 2u * MAX_RING; i++) {
    if (targetOf(g) == v || originOf(beforeHalf(g)) == v) { return true; }
    if (isForward) {
      g = nextSpoke(g);
      if (g == h) { return false; }
      if (g != NONE) { continue; }
      // At the border: from h on the other way around.
      isForward = false;
      g = h;
    }
    let twin = twinOf(g);
    if (twin == NONE) { return false; }
    g = nextHalf(twin);
  }
  return true;
}

/// How much better, as a cosine.
const MUCH = 0.25;

/// Cosine between a triangle's normal and its corners'.
fn fitOf(a: u32, b: u32, c: u32) -> f32 {
  let n = normalOf(a, b, c);
  let m = normals[a].xyz + normals[b].xyz + normals[c].xyz;
  return dot(n, m) / max(length(n) * length(m), 1e-37);
}

fn proposeFlip(item: u32) {
  let edge = splitEdges[listed[item]];
  let h = edge.x;
  let g = edge.y;
  flips[item] = vec4<u32>(NONE);
  if (g == NONE || claims[h / 3u] != 0u || claims[g / 3u] != 0u) { return; }
  let a = originOf(h);
  let b = targetOf(h);
  let c = targetOf(nextHalf(h));
  let d = targetOf(nextHalf(g));
  let whole = normalOf(a, b, c) + normalOf(b, a, d);
  // Of two vertices on one face of the domain, or on one seam, the edge between is not for here to make.
  let isInside = (bitcast<u32>(vertices[c].w) & bitcast<u32>(vertices[d].w)) == 0u;
  let isSound = c != d && isInside && isFacing(a, d, c, whole) && isFacing(d, b, c, whole) && !hasNeighbour(beforeHalf(h), d);
  let isBetter = min(fitOf(a, d, c), fitOf(d, b, c)) > min(fitOf(a, b, c), fitOf(b, a, d)) + MUCH;
  if (isSound) { flips[item] = vec4<u32>(a | select(0u, BETTER, isBetter), b, c, d); }
}
