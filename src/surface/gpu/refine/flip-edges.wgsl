// Makes the flips that hold all their vertices. Both triangles are looked at again in the next round; those beside an edge that
// could be neither divided nor flipped in the next round that looks at all.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> splitEdges: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> flips: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> marks: array<u32>;
@group(0) @binding(5) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(6) var<storage, read_write> nextActive: array<u32>;

fn join(h: u32, g: u32) {
  triangles[h / 3u].twins[h % 3u] = g;
  if (g != NONE) { triangles[g / 3u].twins[g % 3u] = h; }
}

fn flipEdge(item: u32) {
  let edge = splitEdges[listed[item]];
  let t = edge.x / 3u;
  let u = edge.y / 3u;
  let at = counts[N_TOUCHED] + counts[N_ADDED] + 2u * item;
  if (at + 1u >= arrayLength(&nextActive)) { return; }
  // Each triangle stands in the list once.
  nextActive[at] = NONE;
  nextActive[at + 1u] = NONE;
  triangles[t].fresh = ALL_FRESH;
  if (edge.y != NONE) { triangles[u].fresh = ALL_FRESH; }
  let flip = flips[item];
  if (flip.x == NONE) { return; }
  var holds = true;
  for (var k = 0u; k < 4u; k++) { holds = holds && marks[flip[k]] == ~item; }
  if (!holds) { return; }
  let ad = twinOf(nextHalf(edge.y));
  let db = twinOf(beforeHalf(edge.y));
  let bc = twinOf(nextHalf(edge.x));
  let ca = twinOf(beforeHalf(edge.x));
  triangles[t].corners = array<u32, 3>(flip.x, flip.w, flip.z);
  triangles[u].corners = array<u32, 3>(flip.w, flip.y, flip.z);
  join(3u * t, ad);
  join(3u * t + 1u, 3u * u + 2u);
  join(3u * t + 2u, ca);
  join(3u * u, db);
  join(3u * u + 1u, bc);
  nextActive[at] = t;
  nextActive[at + 1u] = u;
}
