// Measures how far samples stand off the zero set, to first order: |f| over the slope there, or the least one at the
// triangle's corners. 1 where that is too far. A point is never farther from the zero set than from the nearest corner, so
// small triangles pass.
//
// Generated code stands around this: evaluateField.

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

/// A slope below this share of the one at the corners is taken for it: at a kink's foot |f| / |∇f| says nothing.
const LEAST_SLOPE = 0.25;

fn measureSample(item: u32) {
  let t = vectorOf(triangles[samples[item] & 0x7ffffffu].corners);
  let pattern = PATTERN[samples[item] >> 27u];
  let w = vec3<f32>(pattern.xyz) / 12.0;
  let a = vertices[t.x].xyz;
  let b = vertices[t.y].xyz;
  let c = vertices[t.z].xyz;
  let g = evaluateField(w.x * a + w.y * b + w.z * c, true);
  let f = g.w;
  let slope = vec3<f32>(normals[t.x].w, normals[t.y].w, normals[t.z].w);
  let tolerance = toleranceIn(min(a, min(b, c)), max(a, max(b, c)));
  let longest = sqrt(max(dot(b - a, b - a), max(dot(c - b, c - b), dot(a - c, a - c))));
  let least = select(min(slope.x, min(slope.y, slope.z)), dot(w, slope), pattern.w < 3u);
  let here = max(length(g.xyz), LEAST_SLOPE * least);
  isOff[item] = select(0u, 1u, abs(f) > round.share * tolerance * min(least, here) && longest > tolerance);
}
