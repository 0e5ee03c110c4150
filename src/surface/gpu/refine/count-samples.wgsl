// Chooses the samples of each active triangle. What is nearly flat by the normals at its corners may be left for later.

@group(0) @binding(0) var<uniform> round: Round;
@group(0) @binding(1) var<uniform> detail: Detail;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> listed: array<u32>;
@group(0) @binding(4) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> tolerances: array<f32>;
@group(0) @binding(8) var<storage, read_write> nSamples: array<u32>;

/// Of an arc with these ends and normals, how high it stands over its chord; far where a normal is not known.
fn heightOf(a: u32, b: u32) -> f32 {
  let na = normals[a].xyz;
  let nb = normals[b].xyz;
  let isKnown = any(na != vec3<f32>(0.0)) && any(nb != vec3<f32>(0.0));
  return select(3e38, abs(dot(na - nb, vertices[a].xyz - vertices[b].xyz)) / 8.0, isKnown);
}

/// Bits of what a round that does not look at everything leaves for later.
fn flatParts(t: vec3<u32>) -> u32 {
  let a = vertices[t.x].xyz;
  let b = vertices[t.y].xyz;
  let c = vertices[t.z].xyz;
  let least = round.flatShare * toleranceIn(min(a, min(b, c)), max(a, max(b, c)));
  let heights = vec3<f32>(heightOf(t.x, t.y), heightOf(t.y, t.z), heightOf(t.z, t.x));
  let flat = select(vec3<u32>(0u), vec3<u32>(1u, 2u, 4u), heights < vec3<f32>(least));
  // A paraboloid stands over the centroid by 4 / 9 of what it stands over the middles of the sides together.
  let isFlatInside = (heights.x + heights.y + heights.z) * (4.0 / 9.0) < least;
  return flat.x | flat.y | flat.z | select(0u, FRESH, isFlatInside);
}

fn countSamples(item: u32) {
  let id = activeTriangle(item);
  nSamples[item] = 0u;
  if (id == NONE) { return; }
  let t = vectorOf(triangles[id].corners);
  if (round.isRenewed != 0u) { triangles[id].fresh = ALL_FRESH; }
  let corners = select(t, vec3<u32>(0u), t.x == NONE);
  let seams = select(vec3<u32>(0u), vec3<u32>(1u, 2u, 4u), seamSides(id, corners));
  let later = select(flatParts(corners), 0u, round.flatShare == 0.0);
  let skipped = later | seams.x | seams.y | seams.z;
  let chosen = chosenSamples(id, skipped);
  triangles[id].fresh = (triangles[id].fresh & skipped) | (chosen << CHOSEN);
  nSamples[item] = countOneBits(chosen);
}
