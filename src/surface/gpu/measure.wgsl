// Measures points of triangles and edges against the field itself, for three purposes (`measure.what`):
//
// - samples: whether they stand off the zero set by more than a share of the tolerance: 1 where they do. As TriangleSampler decides
//   it (triangle-sampler.ts): to first order along the triangle's normal, and by f's sign at that distance, since beside a crease,
//   and where f is steeper here than where it vanishes, the first order says nothing. A point is never farther from the zero set
//   than from the nearest corner, so small triangles pass.
// - flips: |f| at the middles of an edge and of the one that would take its place, as bits.
// - errors: how far the mesh stands off at the centroids of some triangles and the middles of others' longest sides, and that as a
//   share of the tolerance, as bits: the least distance found at which f has its other sign, as measureMeshError does
//   (mesh-error.ts). Around points that are within the tolerance is not looked for a nearer one.
//
// Generated code stands around this: evaluateField, wayOf, the numbers of SAMPLING and ERROR_SEARCH.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> measure: Measure;
@group(0) @binding(2) var<uniform> detail: Detail;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
/// Samples, flips (four words each), or triangles that are left.
@group(0) @binding(4) var<storage, read> places: array<u32>;
@group(0) @binding(5) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(6) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> tolerances: array<f32>;
/// A word a sample, two a flip or an error.
@group(0) @binding(9) var<storage, read_write> measured: array<u32>;

/// What f is evaluated for: the point's own; for a sample, across the triangle and around it; for an error, at one of the distances
/// along the gradient, around it ever farther, or ever less near.
const AT_POINT = 0u;
const AROUND = 1u;
const ALONG = 2u;
const FARTHER = 3u;
const NEARER = 4u;
const DONE = 5u;

/// The middle of a triangle's longest side.
fn longestMiddle(a: vec3<f32>, b: vec3<f32>, c: vec3<f32>) -> vec3<f32> {
  let sides = vec3<f32>(distance(a, b), distance(b, c), distance(c, a));
  let longest = max(sides.x, max(sides.y, sides.z));
  return 0.5 * select(select(c + a, b + c, sides.y == longest), a + b, sides.x == longest);
}

/// The triangle of an item that is no flip, or NONE.
fn triangleOf(item: u32) -> u32 {
  if (measure.what == SAMPLES) { return places[item] & 0x7ffffffu; }
  let n = min(counts[measure.items], arrayLength(&places));
  let at = select(item, u32(f32(n) * (f32(item) / f32(N_MEASURED))), n > N_MEASURED);
  return select(NONE, places[min(at, arrayLength(&places) - 1u)], at < n);
}

fn middleOf(p: u32, q: u32) -> vec3<f32> { return 0.5 * (vertices[p].xyz + vertices[q].xyz); }

fn measurePoint(item: u32) {
  let isFlip = measure.what == FLIPS;
  let isSample = measure.what == SAMPLES;
  var t = vec3<u32>(0u);
  var p = vec3<f32>(0.0);
  /// Of a flip: the middle of the edge that comes.
  var other = vec3<f32>(0.0);
  if (isFlip) {
    let a = places[4u * item];
    if (a == NONE) { return; }
    p = middleOf(a & ~BETTER, places[4u * item + 1u]);
    other = middleOf(places[4u * item + 2u], places[4u * item + 3u]);
  } else {
    let id = triangleOf(item);
    if (id != NONE) { t = vectorOf(triangles[id].corners); }
    if (!isSample && id == NONE) {
      measured[2u * item] = 0u;
      measured[2u * item + 1u] = 0u;
      return;
    }
  }
  let a = vertices[t.x].xyz;
  let b = vertices[t.y].xyz;
  let c = vertices[t.z].xyz;
  if (isSample) {
    let w = vec3<f32>(PATTERN[places[item] >> 27u].xyz) / 12.0;
    p = w.x * a + w.y * b + w.z * c;
  } else if (!isFlip) { p = select(longestMiddle(a, b, c), (a + b + c) / 3.0, (item & 1u) == 0u); }
  let across = cross(b - a, c - a);
  let normal = across / max(length(across), 1e-37);
  let leastSlope = min(normals[t.x].w, min(normals[t.y].w, normals[t.z].w));
  let longest = sqrt(max(dot(b - a, b - a), max(dot(c - b, c - b), dot(a - c, a - c))));
  let tolerance = toleranceIn(min(a, min(b, c)), max(a, max(b, c)));
  let diagonal = distance(frame.max, frame.min);
  var f = 0.0;
  var isBeyond = false;
  /// To first order, and the way there.
  var first = 0.0;
  var toward = vec3<f32>(0.0);
  /// Of a sample 0 or 1, of a flip |f| at the other middle.
  var result = 0.0;
  var stage = AT_POINT;
  /// Number of the distance, and of the way.
  var k = 0u;
  var way = 0u;
  var point = p;
  while (stage != DONE) {
    let here = evaluateField(point, stage == AT_POINT && !isFlip);
    let isCrossed = (here.w >= 0.0) != (f >= 0.0);
    way++;
    if (stage == AT_POINT) {
      f = here.w;
      way = 0u;
      let slope = length(here.xyz);
      let along = select(slope, max(abs(dot(here.xyz, normal)), LEAST_COSINE * slope), isSample);
      // Where there is no slope the distance is in f's own units.
      isBeyond = abs(f) / select(1.0, along, along > 0.0) > measure.share * tolerance;
      first = min(abs(f) / max(slope, 1e-30), diagonal);
      toward = select(-1.0, 1.0, f < 0.0) * select(here.xyz / max(slope, 1e-30), normal, isSample);
      let isSmall = abs(f) <= LOOK * tolerance * leastSlope || longest <= tolerance;
      let ofSample = select(AROUND, DONE, isSmall);
      let ofError = select(select(FARTHER, ALONG, slope > 0.0), DONE, f == 0.0);
      stage = select(select(ofError, ofSample, isSample), AROUND, isFlip);
      result = select(0.0, LEAST * diagonal, stage == FARTHER);
    } else if (stage == AROUND) {
      // Across the triangle first, where being beyond to first order is enough.
      let isOff = !isCrossed && (isBeyond || way > N_WAYS);
      result = select(select(0.0, 1.0, isOff), abs(here.w), isFlip);
      if (isFlip || isCrossed || isOff) { stage = DONE; }
    } else if (stage == ALONG) {
      result = min(AIMS[k] * first, diagonal);
      k++;
      if (isCrossed) { stage = NEARER; }
      else if (k == N_AIMS) {
        stage = FARTHER;
        result = LEAST * diagonal;
      }
      k = select(k, 0u, stage != ALONG);
      way = 0u;
    } else if (stage == FARTHER) {
      if (isCrossed || (way == N_WAYS && result >= diagonal)) { stage = NEARER; }
      else if (way == N_WAYS) { result *= GROWTH; }
      way = select(way, 0u, way == N_WAYS || stage == NEARER);
    } else if (isCrossed) {
      result *= PARTS[k];
      // Within the least of them there may be a sign that is much nearer.
      stage = select(NEARER, DONE, k > 0u);
      way = 0u;
    } else if (way == N_WAYS) {
      way = 0u;
      k++;
    }
    if (stage == NEARER && (result <= tolerance || k == N_PARTS)) { stage = DONE; }
    let reach = select(
      select(result, measure.share * tolerance, isSample),
      result * PARTS[min(k, N_PARTS - 1u)],
      stage == NEARER,
    );
    let isStraight = stage == ALONG || (isSample && way == 0u);
    let far = select(reach, min(AIMS[min(k, N_AIMS - 1u)] * first, diagonal), stage == ALONG);
    let next = p + select(reach * wayOf(select(way, way - 1u, isSample && way > 0u)), far * toward, isStraight);
    point = select(clamp(next, frame.min, frame.max), other, isFlip);
  }
  if (isSample) {
    measured[item] = u32(result);
    return;
  }
  let share = result / max(tolerance, 1e-37);
  measured[2u * item] = bitcast<u32>(select(result, abs(f), isFlip));
  measured[2u * item + 1u] = bitcast<u32>(select(share, result, isFlip));
}
