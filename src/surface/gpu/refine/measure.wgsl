// Whether samples stand off the zero set by more than a share of the tolerance: 1 where they do. As TriangleSampler decides it
// (triangle-sampler.ts): to first order along the triangle's normal, and by f's sign at that distance, since beside a crease, and
// where f is steeper here than where it vanishes, the first order says nothing. A point is never farther from the zero set than
// from the nearest corner, so small triangles pass.
//
// Generated code stands around this: evaluateField, wayOf, the numbers of SAMPLING.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> round: Round;
@group(0) @binding(2) var<uniform> detail: Detail;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
@group(0) @binding(4) var<storage, read> samples: array<u32>;
@group(0) @binding(5) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(6) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> tolerances: array<f32>;
@group(0) @binding(9) var<storage, read_write> isOff: array<u32>;

fn measureSample(item: u32) {
  let t = vectorOf(triangles[samples[item] & 0x7ffffffu].corners);
  let w = vec3<f32>(PATTERN[samples[item] >> 27u].xyz) / 12.0;
  let a = vertices[t.x].xyz;
  let b = vertices[t.y].xyz;
  let c = vertices[t.z].xyz;
  let p = w.x * a + w.y * b + w.z * c;
  let across = cross(b - a, c - a);
  let normal = across / max(length(across), 1e-37);
  let leastSlope = min(normals[t.x].w, min(normals[t.y].w, normals[t.z].w));
  let tolerance = toleranceIn(min(a, min(b, c)), max(a, max(b, c)));
  let longest = sqrt(max(dot(b - a, b - a), max(dot(c - b, c - b), dot(a - c, a - c))));
  let reach = round.share * tolerance;
  var f = 0.0;
  var isBeyond = false;
  var off = 0u;
  var point = p;
  // The point itself; across the triangle; around it.
  for (var k = 0u; ; k++) {
    let here = evaluateField(point, k == 0u);
    if (k == 0u) {
      f = here.w;
      let slope = max(abs(dot(here.xyz, normal)), LEAST_COSINE * length(here.xyz));
      // Where there is no slope the distance is in f's own units.
      isBeyond = abs(f) / select(1.0, slope, slope > 0.0) > round.share * tolerance;
      if (abs(f) <= LOOK * tolerance * leastSlope || longest <= tolerance) { break; }
    } else {
      if ((here.w >= 0.0) != (f >= 0.0)) { break; }
      off = select(0u, 1u, isBeyond || k > N_WAYS);
      if (off == 1u) { break; }
    }
    let way = select(wayOf(max(k, 1u) - 1u), select(1.0, -1.0, f >= 0.0) * normal, k == 0u);
    point = clamp(p + reach * way, frame.min, frame.max);
  }
  isOff[item] = off;
}
