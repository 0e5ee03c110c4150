// How far the mesh stands off at the centroids of some triangles and the middles of others' longest sides, and that as a share of the
// tolerance: the least distance found at which f has its other sign, as measureMeshError does (mesh-error.ts). Around points
// that are within the tolerance is not looked for a nearer one. Where one is off by more than a share of the tolerance, it is looked
// all over its triangle.
//
// Generated code stands around this: evaluateField, wayOf, PATTERN, the numbers of ERROR_SEARCH.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> detail: Detail;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
/// Triangles that are left.
@group(0) @binding(3) var<storage, read> listed: array<u32>;
@group(0) @binding(4) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> tolerances: array<f32>;
@group(0) @binding(7) var<storage, read_write> summary: array<atomic<u32>>;

/// What f is evaluated for: the point's own; at one of the distances along the gradient, around it ever farther, or ever less near.
const AT_POINT = 0u;
const ALONG = 1u;
const FARTHER = 2u;
const NEARER = 3u;
const DONE = 4u;

/// The middle of a triangle's longest side.
fn longestMiddle(a: vec3<f32>, b: vec3<f32>, c: vec3<f32>) -> vec3<f32> {
  let sides = vec3<f32>(distance(a, b), distance(b, c), distance(c, a));
  let longest = max(sides.x, max(sides.y, sides.z));
  return 0.5 * select(select(c + a, b + c, sides.y == longest), a + b, sides.x == longest);
}

fn measureError(item: u32) {
  let n = min(counts[N_OUT_TRIANGLES], arrayLength(&listed));
  let at = select(item, u32(f32(n) * (f32(item) / f32(N_MEASURED))), n > N_MEASURED);
  if (at >= n) { return; }
  let t = vectorOf(triangles[listed[at]].corners);
  let a = vertices[t.x].xyz;
  let b = vertices[t.y].xyz;
  let c = vertices[t.z].xyz;
  let tolerance = toleranceIn(min(a, min(b, c)), max(a, max(b, c)));
  let diagonal = distance(frame.max, frame.min);
  /// The point, and how many were looked at of those that are to be.
  var p = select(longestMiddle(a, b, c), (a + b + c) / 3.0, (item & 1u) == 0u);
  var nPlaces = 1u;
  var nLooked = 0u;
  var f = 0.0;
  /// To first order, and the way there.
  var first = 0.0;
  var toward = vec3<f32>(0.0);
  /// Of the point, and the largest so far.
  var result = 0.0;
  var largest = 0.0;
  var stage = AT_POINT;
  /// Number of the distance, and of the way.
  var k = 0u;
  var way = 0u;
  var point = p;
  while (nLooked < nPlaces) {
    let here = evaluateField(point, stage == AT_POINT);
    let isCrossed = (here.w >= 0.0) != (f >= 0.0);
    way++;
    if (stage == AT_POINT) {
      f = here.w;
      way = 0u;
      k = 0u;
      let slope = length(here.xyz);
      first = min(abs(f) / max(slope, 1e-30), diagonal);
      toward = select(-1.0, 1.0, f < 0.0) * here.xyz / max(slope, 1e-30);
      stage = select(select(FARTHER, ALONG, slope > 0.0), DONE, f == 0.0);
      result = select(0.0, LEAST * diagonal, stage == FARTHER);
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
    if (stage == DONE) {
      largest = max(largest, result);
      if (nLooked == 0u && result > CLOSE_SHARE * tolerance) { nPlaces += N_PATTERN; }
      let at = vec3<f32>(PATTERN[min(nLooked, N_PATTERN - 1u)].xyz) / 12.0;
      nLooked++;
      p = at.x * a + at.y * b + at.z * c;
      point = p;
      stage = AT_POINT;
      continue;
    }
    let reach = select(result, result * PARTS[min(k, N_PARTS - 1u)], stage == NEARER);
    let far = min(AIMS[min(k, N_AIMS - 1u)] * first, diagonal);
    let next = p + select(reach * wayOf(way), far * toward, stage == ALONG);
    point = clamp(next, frame.min, frame.max);
  }
  let share = largest / max(tolerance, 1e-37);
  atomicMax(&summary[SUMMARY_ERROR], bitcast<u32>(largest));
  atomicMax(&summary[SUMMARY_MISSED], bitcast<u32>(share));
  if (share > 1.0) { atomicAdd(&summary[SUMMARY_LEFT], 1u); }
  if (share > FAR) { atomicAdd(&summary[SUMMARY_FAR], 1u); }
}
