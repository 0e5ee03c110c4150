// Removes vertices that the tolerance does not need, one page a workgroup. In each round those are moved onto a neighbour that have
// the largest number among all that want to go around them, so that no two have a neighbour in common. See Decimator
// (decimate.ts): the same checks, one vertex after the other.
//
// Generated code stands around this: fieldAt, distanceFrom, isLinkSound, PATTERN, the numbers of COLLAPSE, SHARES.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> thinning: Thinning;
@group(0) @binding(2) var<uniform> detail: Detail;
@group(0) @binding(3) var<storage, read> heads: array<u32>;
@group(0) @binding(4) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> tolerances: array<f32>;
@group(0) @binding(7) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(8) var<storage, read_write> thinned: array<Thinned>;

const FAR = 3e38;
/// Bits of a claim below the round's number.
const CLAIM_BITS = 22u;
const CLAIMS = (1u << CLAIM_BITS) - 1u;

var<workgroup> nVertices: atomic<u32>;
var<workgroup> nRemoved: atomic<u32>;
var<workgroup> isGoingOn: u32;

/// A vertex's number in the contest of a round: no two are alike, and later rounds have larger ones.
fn claimOf(id: u32, round: u32) -> u32 {
  return ((round + 1u) << CLAIM_BITS) | (((id + round * 0x1234567u) * 0x9e3779b1u) & CLAIMS);
}

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

/// Looks for the inner neighbour onto which a vertex can be moved: the one whose new triangles it stands off least. What was removed
/// around it before stands off them by no more than it did, and that.
fn judge(id: u32) {
  thinned[id].isDirty = 0u;
  let h = atomicLoad(&thinned[id].spoke) - 1u;
  let n = ringSize(h);
  let v = vertices[id].xyz;
  var best = FAR;
  var goal = 0u;
  var g = h;
  for (var i = 0u; i < n; i++) {
    let candidate = targetOf(g);
    if (thinned[candidate].isInner != 0u) {
      let off = standOff(v, h, n, candidate, distance(vertices[candidate].xyz, v) < thinning.leastEdge);
      if (off < best) {
        best = off;
        goal = g + 1u;
      }
    }
    g = nextSpoke(g);
  }
  let tolerance = ringTolerance(v, h, n);
  let off = best / tolerance + thinned[id].drift;
  let isGoal = goal != 0u && off < thinning.mostShare && isLinkSound(h, n, max(goal, 1u) - 1u);
  thinned[id].goal = select(0u, goal, isGoal);
  thinned[id].off = off;
  thinned[id].limit = SAMPLE_SHARE * tolerance;
}

fn claimRing(id: u32, claim: u32) {
  atomicMax(&thinned[id].claim, claim);
  let h = thinned[id].goal - 1u;
  var g = h;
  for (var i = 0u; i < MAX_RING; i++) {
    atomicMax(&thinned[targetOf(g)].claim, claim);
    g = nextSpoke(g);
    if (g == h) { break; }
  }
}

/// Whether all claims of a vertex hold. What was around the vertex that it is to be moved onto may have changed since it was judged;
/// so whether the mesh stays a manifold is asked again.
fn holdsRing(id: u32, claim: u32) -> bool {
  var holds = atomicLoad(&thinned[id].claim) == claim;
  let h = thinned[id].goal - 1u;
  var g = h;
  for (var i = 0u; i < MAX_RING && holds; i++) {
    holds = atomicLoad(&thinned[targetOf(g)].claim) == claim;
    g = nextSpoke(g);
    if (g == h) { break; }
  }
  return holds && isLinkSound(h, ringSize(h), h);
}

/// Whether sampled points of the triangles that would come of removing a vertex are near the zero set: all of the pattern, since nothing
/// mends the mesh afterwards, as the worker does. A side that is still to be divided needs triangles that are as wide as it stands off.
fn isNear(id: u32) -> bool {
  let h = thinned[id].goal - 1u;
  let goal = targetOf(h);
  let p = vertices[goal].xyz;
  let most = thinned[id].limit * min(normals[id].w, normals[goal].w);
  var isGood = true;
  // From the first ring vertex after the goal to the last one before it.
  var g = nextSpoke(h);
  for (var i = 0u; i < MAX_RING && isGood; i++) {
    let next = nextSpoke(g);
    if (next == h) { break; }
    let a = vertices[targetOf(g)].xyz;
    let b = vertices[targetOf(next)].xyz;
    for (var k = 0u; k < N_PATTERN && isGood; k++) {
      let w = vec3<f32>(PATTERN[k].xyz) / 12.0;
      isGood = abs(fieldAt(w.x * p + w.y * a + w.z * b)) <= most;
    }
    g = next;
  }
  return isGood;
}

fn setTwin(h: u32, g: u32) { triangles[h / 3u].twins[h % 3u] = g; }

fn join(h: u32, g: u32) {
  setTwin(h, g);
  setTwin(g, h);
}

/// Moves a vertex onto its goal; the two triangles between them vanish.
fn collapse(id: u32) {
  let h = thinned[id].goal - 1u;
  let goal = targetOf(h);
  let back = twinOf(h);
  let left = targetOf(nextHalf(h));
  let right = targetOf(nextHalf(back));
  let outerLeft = twinOf(nextHalf(h));
  let innerLeft = twinOf(beforeHalf(h));
  let innerRight = twinOf(nextHalf(back));
  let outerRight = twinOf(beforeHalf(back));
  let drift = thinned[id].off;
  thinned[goal].isDirty = 1u;
  thinned[goal].drift = max(thinned[goal].drift, drift);
  var g = nextSpoke(h);
  for (var i = 0u; i < MAX_RING && g != h; i++) {
    let next = nextSpoke(g);
    let other = targetOf(g);
    thinned[other].isDirty = 1u;
    thinned[other].drift = max(thinned[other].drift, drift);
    triangles[g / 3u].corners[g % 3u] = goal;
    g = next;
  }
  triangles[h / 3u].corners[0] = NONE;
  triangles[back / 3u].corners[0] = NONE;
  join(outerLeft, innerLeft);
  join(innerRight, outerRight);
  atomicStore(&thinned[id].spoke, 0u);
  thinned[id].isInner = 0u;
  atomicStore(&thinned[goal].spoke, outerRight + 1u);
  atomicStore(&thinned[left].spoke, outerLeft + 1u);
  atomicStore(&thinned[right].spoke, innerRight + 1u);
}

// Lists are gone through from one vertex that there is something to do at to the next one: software runs both sides of a branch, but
// leaves a loop that nobody is in. Numbers of vertices are + 1, 0 at the end.

fn nextDirty(begin: u32) -> u32 {
  var id = begin;
  while (id != 0u && (thinned[id - 1u].isInner == 0u || thinned[id - 1u].isDirty == 0u)) { id = thinned[id - 1u].next; }
  return id;
}

/// The next one that is to be removed.
fn nextWanted(begin: u32, share: f32) -> u32 {
  var id = begin;
  while (id != 0u && (thinned[id - 1u].isInner == 0u || thinned[id - 1u].goal == 0u || thinned[id - 1u].off >= share)) {
    id = thinned[id - 1u].next;
  }
  return id;
}

/// The next one of them whose claims hold.
fn nextWinner(begin: u32, share: f32, round: u32) -> u32 {
  var id = nextWanted(begin, share);
  while (id != 0u && !holdsRing(id - 1u, claimOf(id - 1u, round))) { id = nextWanted(thinned[id - 1u].next, share); }
  return id;
}

@compute @workgroup_size(N_LISTS)
fn thinPages(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let page = group.x + group.y * nGroups.x;
  let list = page * N_LISTS + lane;
  var first = 0u;
  if (list < arrayLength(&heads)) { first = heads[list]; }
  if (first != 0u) { atomicAdd(&nVertices, 1u); }
  workgroupBarrier();
  if (lane == 0u) { isGoingOn = atomicLoad(&nVertices); }
  if (workgroupUniformLoad(&isGoingOn) == 0u) { return; }
  var round = 0u;
  for (var s = 0u; s < N_SHARES; s++) {
    for (var r = 0u; r < thinning.nRounds; r++) {
      let share = SHARES[s];
      for (var id = nextDirty(first); id != 0u; id = nextDirty(thinned[id - 1u].next)) { judge(id - 1u); }
      storageBarrier();
      for (var id = nextWanted(first, share); id != 0u; id = nextWanted(thinned[id - 1u].next, share)) {
        claimRing(id - 1u, claimOf(id - 1u, round));
      }
      if (lane == 0u) { atomicStore(&nRemoved, 0u); }
      workgroupBarrier();
      storageBarrier();
      for (var id = nextWinner(first, share, round); id != 0u; id = nextWinner(thinned[id - 1u].next, share, round)) {
        atomicAdd(&nRemoved, 1u);
        if (isNear(id - 1u)) { collapse(id - 1u); }
        // One that stands off has no other goal until its triangles change.
        thinned[id - 1u].goal = 0u;
      }
      storageBarrier();
      workgroupBarrier();
      if (lane == 0u) { isGoingOn = atomicLoad(&nRemoved); }
      round++;
      if (workgroupUniformLoad(&isGoingOn) == 0u) { break; }
    }
  }
}
