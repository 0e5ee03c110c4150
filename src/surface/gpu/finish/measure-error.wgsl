// How far the mesh stands off the zero set at the centroids of some triangles and the middles of others' longest sides: to first
// order, or the tolerance, where f changes its sign within that; see mesh-error.ts, which looks in more directions.
//
// Generated code stands around this: evaluateField.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> finish: Finish;
@group(0) @binding(2) var<uniform> detail: Detail;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
@group(0) @binding(4) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> tolerances: array<f32>;
@group(0) @binding(8) var<storage, read_write> summary: array<atomic<u32>>;

/// A slope below this share of the one at the corners is taken for it: at a kink's foot |f| / |∇f| says nothing.
const LEAST_SLOPE = 0.25;

/// The middle of a triangle's longest side.
fn longestMiddle(a: vec3<f32>, b: vec3<f32>, c: vec3<f32>) -> vec3<f32> {
  let sides = vec3<f32>(distance(a, b), distance(b, c), distance(c, a));
  let longest = max(sides.x, max(sides.y, sides.z));
  return 0.5 * select(select(c + a, b + c, sides.y == longest), a + b, sides.x == longest);
}

fn measureError(item: u32) {
  let n = min(counts[finish.triangles], arrayLength(&triangles));
  let id = select(item, u32(f32(n) * (f32(item) / f32(N_MEASURED))), n > N_MEASURED);
  if (id >= n) { return; }
  let t = vectorOf(triangles[id].corners);
  if (t.x == NONE) { return; }
  let a = vertices[t.x].xyz;
  let b = vertices[t.y].xyz;
  let c = vertices[t.z].xyz;
  let p = select(longestMiddle(a, b, c), (a + b + c) / 3.0, (item & 1u) == 0u);
  let usual = (normals[t.x].w + normals[t.y].w + normals[t.z].w) / 3.0;
  let tolerance = toleranceIn(min(a, min(b, c)), max(a, max(b, c)));
  let around = normals[t.x].xyz + normals[t.y].xyz + normals[t.z].xyz;
  var g: vec4<f32>;
  var slope = 0.0;
  var error = 0.0;
  var point = p;
  for (var k = 0u; k <= finish.nProbes; k++) {
    let here = evaluateField(point, k == 0u);
    if (k == 0u) {
      g = here;
      slope = length(g.xyz);
      error = abs(g.w) / max(max(slope, LEAST_SLOPE * usual), 1e-30);
    } else if ((here.w >= 0.0) != (g.w >= 0.0)) { error = tolerance; }
    if (error <= tolerance) { break; }
    let up = select(g.xyz / max(slope, 1e-30), around / max(length(around), 1e-30), k == 1u);
    point = p - select(-tolerance, tolerance, g.w >= 0.0) * up;
  }
  atomicMax(&summary[SUMMARY_ERROR], bitcast<u32>(error));
  atomicMax(&summary[SUMMARY_MISSED], bitcast<u32>(error / tolerance));
  if (error > FAR * tolerance) { atomicAdd(&summary[SUMMARY_FAR], 1u); }
}
