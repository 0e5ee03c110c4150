// Fills each loop with triangles by clipping ears, the best one first: a diagonal that stays near the zero set, a
// well-shaped triangle. How far the zero set stands off a diagonal is told from the normals at its ends; that of a crease
// along it is nothing. A diagonal between two vertices of one side is never used: the leaf beside could use the same.
// Where no ear is left, or there are too many vertices, the loop is fanned around a vertex of its own (fan-loops.wgsl).
//
// A loop of n vertices has n - 2 triangles, so that the first one of loop l is its first vertex less 2 * l.

@group(0) @binding(0) var<uniform> detail: Detail;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> loops: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> loopPlaces: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> triangles: array<Triangle>;
/// 1 for every loop that is fanned.
@group(0) @binding(7) var<storage, read_write> isFanned: array<u32>;

/// Vertices of a loop that a mask of bits can name.
const MAX_VERTICES = 32u;
/// Weight of a triangle's shape (longest side² / area) beside the squared relative height of its diagonal.
const SHAPE = 2e-3;
/// Area over longest side² of a triangle that counts as turned over.
const TURNED = 1e-6;
const NO_EAR = 3e38;

fn areaOf(a: vec2<f32>, b: vec2<f32>, c: vec2<f32>) -> f32 {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/// The set bit before and after bit i, going around.
fn bitBefore(mask: u32, i: u32) -> u32 {
  let below = mask & ((1u << i) - 1u);
  return firstLeadingBit(select(mask, below, below != 0u));
}
fn bitAfter(mask: u32, i: u32) -> u32 {
  let above = mask & (0xfffffffeu << i);
  return firstTrailingBit(select(mask, above, above != 0u));
}

fn sideBits(place: vec4<f32>) -> u32 { return bitcast<u32>(place.w); }

/// What clipping vertex i costs, NO_EAR where it cannot be.
fn earCost(first: u32, mask: u32, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, i: u32, scale: f32) -> f32 {
  let area = areaOf(a.xy, b.xy, c.xy);
  let ab = b.xy - a.xy;
  let bc = c.xy - b.xy;
  let ca = a.xy - c.xy;
  let longest2 = max(dot(ab, ab), max(dot(bc, bc), dot(ca, ca)));
  if (area <= TURNED * longest2) { return NO_EAR; }
  let isLast = countOneBits(mask) == 3u;
  if (!isLast && (sideBits(a) & sideBits(c)) != 0u) { return NO_EAR; }
  // No other vertex in the triangle.
  var left = select(mask & ~(1u << i), 0u, isLast);
  var isFree = true;
  while (left != 0u && isFree) {
    let k = firstTrailingBit(left);
    left &= left - 1u;
    let p = loopPlaces[first + k];
    if (p.z == a.z || p.z == c.z) { continue; }
    isFree = areaOf(a.xy, b.xy, p.xy) < 0.0 || areaOf(b.xy, c.xy, p.xy) < 0.0 || areaOf(c.xy, a.xy, p.xy) < 0.0;
  }
  if (!isFree) { return NO_EAR; }
  let va = bitcast<u32>(a.z);
  let vc = bitcast<u32>(c.z);
  let along = vertices[vc].xyz - vertices[va].xyz;
  let height = abs(dot(normals[va].xyz - normals[vc].xyz, along)) / 6.0 / scale;
  return height * height + SHAPE * min(longest2 / area, 1e4);
}

fn clipEars(item: u32) {
  let first = loops[item].x;
  let n = loops[item].y;
  var mask = select((1u << n) - 1u, 0xffffffffu, n >= 32u);
  var isStuck = n > MAX_VERTICES;
  let p = vertices[bitcast<u32>(loopPlaces[first].z)].xyz;
  let scale = REFINE_SHARE * toleranceIn(p, p);
  var triangle = first - 2u * item;
  for (var clip = 2u; clip < n && !isStuck; clip++) {
    var best = NO_EAR;
    var ear = 0u;
    var left = mask;
    while (left != 0u) {
      let i = firstTrailingBit(left);
      left &= left - 1u;
      let a = loopPlaces[first + bitBefore(mask, i)];
      let c = loopPlaces[first + bitAfter(mask, i)];
      let cost = earCost(first, mask, a, loopPlaces[first + i], c, i, scale);
      if (cost < best) {
        best = cost;
        ear = i;
      }
    }
    isStuck = best == NO_EAR;
    if (!isStuck) {
      // Places around the loop; vertices take their place when the sides are paired (pair-sides.wgsl).
      triangles[triangle].corners = vec3<u32>(bitBefore(mask, ear), ear, bitAfter(mask, ear));
      triangle++;
      mask &= ~(1u << ear);
    }
  }
  isFanned[item] = select(0u, 1u, isStuck && n >= 3u);
}
