// The plane in which each loop is filled: orthogonal to its own normal (Newell's), or, where the surface turns away from that,
// to the direction in which f increases in the leaf (orient-loops.wgsl). Where three creases meet inside the leaf, the
// corner: the point that is nearest to the planes at all vertices. A loop that has one is fanned around it.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> loopVertices: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> vertices: array<vec4<f32>>;
/// `normal` is the leaf's direction before.
@group(0) @binding(3) var<storage, read_write> loops: array<Loop>;
/// Place in the plane; then as bits vertex, and sides with the partner's place around the loop + 1 from bit PARTNER on.
@group(0) @binding(4) var<storage, read_write> loopPlaces: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> chainPoints: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> normals: array<vec4<f32>>;

/// Kinks of a loop with a corner, at least; determinant of the planes' normals, 1 for three orthogonal ones of equal weight.
const LEAST_KINKS = 3u;
const LEAST_SPREAD = 0.1;
/// How far the corner may be off a plane, or out of the loop's box, as a share of its extent.
const OFF_PLANE = 0.1;
/// How near the corner may be to a side, as a share of the loop's extent: it may be a vertex of it.
const LEAST_DISTANCE = 0.01;
/// Least cosine between the loop's own normal and the surface's at its vertices.
const LEAST_FACING = 0.2;

/// The neuron whose sign changes at a vertex of a loop, + 1, or 0.
fn kinkOf(vertex: vec4<u32>) -> u32 { return select(chainPoints[max(vertex.w, 1u) - 1u].y, 0u, vertex.w == 0u); }

/// Where a crease that enters the leaf at place k of a loop leaves it, + 1: at the one other kink of its neuron; 0 where there
/// is none, or several, or in a loop that is too long for ears.
fn partnerOf(first: u32, n: u32, k: u32) -> u32 {
  if (n > MAX_VERTICES) { return 0u; }
  let vertex = loopVertices[first + k];
  let kink = kinkOf(vertex);
  var partner = 0u;
  for (var i = 0u; i < n && kink != 0u; i++) {
    let other = loopVertices[first + i];
    if (i == k || kinkOf(other) != kink) { continue; }
    if (partner != 0u || (other.y & vertex.y) != 0u) { return 0u; }
    partner = i + 1u;
  }
  return partner;
}

fn placeOf(first: u32, k: u32) -> vec3<f32> { return vertices[loopVertices[first + k].x].xyz; }

/// The corner of a loop of n vertices around a middle, from there; its fourth number is 0 where there is none.
fn cornerOf(first: u32, n: u32, middle: vec3<f32>, extent: f32) -> vec4<f32> {
  var nKinks = 0u;
  var m = mat3x3<f32>();
  var sum = vec3<f32>(0.0);
  var low = vec3<f32>(0.0);
  var high = vec3<f32>(0.0);
  for (var k = 0u; k < n; k++) {
    let vertex = loopVertices[first + k];
    let to = vertices[vertex.x].xyz - middle;
    let normal = normals[vertex.x].xyz;
    nKinks += select(0u, 1u, kinkOf(vertex) != 0u);
    m += mat3x3<f32>(normal.x * normal, normal.y * normal, normal.z * normal);
    sum += dot(normal, to) * normal;
    low = min(low, to);
    high = max(high, to);
  }
  let spread = determinant(m) / pow(f32(n) / 3.0, 3.0);
  if (nKinks < LEAST_KINKS || spread < LEAST_SPREAD) { return vec4<f32>(0.0); }
  let det = determinant(m);
  let corner = vec3<f32>(
    determinant(mat3x3<f32>(sum, m[1], m[2])),
    determinant(mat3x3<f32>(m[0], sum, m[2])),
    determinant(mat3x3<f32>(m[0], m[1], sum)),
  ) / det;
  let slack = OFF_PLANE * extent;
  var isNear = all(corner >= low - slack) && all(corner <= high + slack);
  for (var k = 0u; k < n; k++) {
    let to = placeOf(first, k) - middle;
    isNear = isNear && abs(dot(normals[loopVertices[first + k].x].xyz, corner - to)) <= slack;
  }
  return vec4<f32>(corner, select(0.0, 1.0, isNear));
}

/// Whether all sides of a loop are seen from a place in its plane, none nearer than so far.
fn isSeenFrom(first: u32, n: u32, place: vec2<f32>, least: f32) -> bool {
  for (var k = 0u; k < n; k++) {
    let a = loopPlaces[first + k].xy - place;
    let b = loopPlaces[first + select(k + 1u, 0u, k + 1u == n)].xy - place;
    if (a.x * b.y - a.y * b.x <= least * length(b - a)) { return false; }
  }
  return true;
}

fn describeLoop(item: u32) {
  let first = loops[item].first;
  let n = loops[item].n;
  let origin = vertices[loopVertices[first].x].xyz;
  var sum = vec3<f32>(0.0);
  var extent2 = 0.0;
  var before = vec3<f32>(0.0);
  for (var k = 1u; k < n; k++) {
    let p = vertices[loopVertices[first + k].x].xyz - origin;
    sum += cross(before, p);
    extent2 = max(extent2, dot(p, p));
    before = p;
  }
  let norm = length(sum);
  let own = select(sum / max(norm, 1e-37), vec3<f32>(0.0, 0.0, 1.0), norm == 0.0);
  var facing = 1.0;
  for (var k = 0u; k < n; k++) { facing = min(facing, dot(own, normals[loopVertices[first + k].x].xyz)); }
  let direction = loops[item].normal;
  let normal = select(own, direction, facing < LEAST_FACING && any(direction != vec3<f32>(0.0)));
  loops[item].normal = normal;
  let a = abs(normal);
  let axis = select(select(vec3<f32>(0.0, 0.0, 1.0), vec3<f32>(0.0, 1.0, 0.0), a.y <= a.z), vec3<f32>(1.0, 0.0, 0.0), a.x <= a.y && a.x <= a.z);
  let e1 = normalize(axis - dot(axis, normal) * normal);
  let e2 = cross(normal, e1);
  for (var k = 0u; k < n; k++) {
    let vertex = loopVertices[first + k];
    let p = vertices[vertex.x].xyz - origin;
    let bits = vertex.y | (partnerOf(first, n, k) << PARTNER);
    loopPlaces[first + k] = vec4<f32>(dot(p, e1), dot(p, e2), bitcast<f32>(vertex.x), bitcast<f32>(bits));
  }
  let corner = cornerOf(first, n, origin, sqrt(extent2));
  let place = vec2<f32>(dot(corner.xyz, e1), dot(corner.xyz, e2));
  let isCorner = corner.w != 0.0 && n <= MAX_VERTICES && isSeenFrom(first, n, place, LEAST_DISTANCE * sqrt(extent2));
  loops[item].corner = origin + corner.xyz;
  loops[item].chords = select(0u, CORNER, isCorner);
}
