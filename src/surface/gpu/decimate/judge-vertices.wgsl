// Looks for a neighbour onto which a vertex can be moved: the one whose new triangles it stands off least. See Decimator
// (decimate.ts).
//
// Generated code stands around this: distanceFrom, the numbers of COLLAPSE.

@group(0) @binding(0) var<uniform> thinning: Thinning;
@group(0) @binding(1) var<uniform> detail: Detail;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> listed: array<u32>;
@group(0) @binding(4) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read> spokes: array<u32>;
@group(0) @binding(6) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> tolerances: array<f32>;
/// By vertex: half-edge to the neighbour, + 1, or 0; as bits the distance as a share of the tolerance, and the largest |f|
/// that there may be.
@group(0) @binding(9) var<storage, read_write> goals: array<vec4<u32>>;

const FAR = 3e38;

/// Distance of v from the triangles that would replace its own; FAR where one is no good: folds, or is too narrow. On creases the
/// surface has no one normal, and a triangle may face as the one in whose place it comes does.
fn standOff(v: vec3<f32>, h: u32, n: u32, goal: u32, isShort: bool) -> f32 {
  let p = vertices[goal].xyz;
  let np = normals[goal].xyz;
  let leastAspect = select(LEAST_ASPECT, 0.0, isShort);
  let leastCosine = select(LEAST_COSINE, -1.0, isShort);
  var least = FAR;
  var isGood = true;
  var g = h;
  for (var i = 0u; i < n && isGood; i++) {
    let a = targetOf(g);
    g = nextSpoke(g);
    let b = targetOf(g);
    if (a == goal || b == goal) { continue; }
    let pa = vertices[a].xyz;
    let pb = vertices[b].xyz;
    let normal = cross(pa - p, pb - p);
    let norm = length(normal);
    let longest2 = max(dot(pa - p, pa - p), max(dot(pb - p, pb - p), dot(pb - pa, pb - pa)));
    let cosine = min(dot(normal, np), min(dot(normal, normals[a].xyz), dot(normal, normals[b].xyz)));
    let before = cross(pa - v, pb - v);
    let isFacing = cosine >= leastCosine * norm || dot(normal, before) >= leastCosine * norm * length(before);
    isGood = norm > 0.0 && norm >= leastAspect * longest2 && isFacing;
    least = min(least, distanceFrom(v - p, pa - p, pb - p));
  }
  return select(FAR, least, isGood);
}

/// The least tolerance around v.
fn ringTolerance(v: vec3<f32>, h: u32, n: u32) -> f32 {
  var low = v;
  var high = v;
  var g = h;
  for (var i = 0u; i < n && detail.isUniform == 0u; i++) {
    let p = vertices[targetOf(g)].xyz;
    low = min(low, p);
    high = max(high, p);
    g = nextSpoke(g);
  }
  return toleranceIn(low, high);
}

fn judgeVertex(item: u32) {
  let id = listed[item];
  let h = spokes[id] - 1u;
  let n = ringSize(h);
  let v = vertices[id].xyz;
  var best = FAR;
  var goal = 0u;
  var g = h;
  for (var i = 0u; i < n; i++) {
    let candidate = targetOf(g);
    let p = vertices[candidate];
    // A vertex on a face of the domain is no goal: its own ring is open.
    if (bitcast<u32>(p.w) == 0u) {
      let off = standOff(v, h, n, candidate, distance(p.xyz, v) < thinning.leastEdge);
      if (off < best) {
        best = off;
        goal = g + 1u;
      }
    }
    g = nextSpoke(g);
  }
  let tolerance = ringTolerance(v, h, n);
  let off = best / tolerance;
  let isGoal = goal != 0u && off < thinning.mostShare && isLinkSound(h, n, max(goal, 1u) - 1u);
  let end = select(id, targetOf(max(goal, 1u) - 1u), isGoal);
  let limit = SAMPLE_SHARE * tolerance * min(normals[id].w, normals[end].w);
  goals[id] = vec4<u32>(select(0u, goal, isGoal), bitcast<u32>(off), bitcast<u32>(limit), 0u);
}
