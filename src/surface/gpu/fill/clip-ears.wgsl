// Fills each loop with triangles by clipping ears, the best one first: a diagonal that stays near the zero set, a
// well-shaped triangle. How far the zero set stands off a diagonal is told from the normals at its ends; that of a crease
// along it is nothing. A diagonal between two vertices of one side is never used: the leaf beside could use the same.
// A crease that crosses the leaf is a chord that no ear cuts. Where two of them cross, what is left around them is fanned around
// a vertex at their crossing (fill-loops.wgsl); so is, around its middle, what has no ear left, or too many vertices.
//
// Ear k of a loop is kept with the loop's vertex k (`rim`): each loop has more vertices than ears.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read_write> loops: array<Loop>;
@group(0) @binding(2) var<storage, read> loopPlaces: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> normals: array<vec4<f32>>;
/// By vertex of a loop its position; then as bits the sides of the leaf that it lies on, and the places around the loop of an ear's
/// three vertices, from bit EAR on.
@group(0) @binding(5) var<storage, read_write> rim: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> summary: array<atomic<u32>>;

/// Weight of a triangle's shape (longest side² / area) beside the squared relative height of its diagonal.
const SHAPE = 2e-3;
/// Area over longest side² of a triangle that counts as turned over.
const TURNED = 1e-6;
const NO_EAR = 3e38;
/// How near a crossing may be to a side of what is left, as a share of the chord.
const LEAST_DISTANCE = 0.01;

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

fn sideBits(place: vec4<f32>) -> u32 { return bitcast<u32>(place.w) & SIDES; }

/// Where the chord from place i ends, or NONE; NONE also where that is a side of what is left.
fn chordFrom(mask: u32, i: u32, place: vec4<f32>) -> u32 {
  let partner = bitcast<u32>(place.w) >> PARTNER;
  let end = partner - 1u;
  let isOpen = partner != 0u && (mask & (1u << (end & 31u))) != 0u && end != bitBefore(mask, i) && end != bitAfter(mask, i);
  return select(NONE, end, isOpen);
}

/// Where the lines from a to b and from c to d cross, as a share of the first.
fn crossingShare(a: vec2<f32>, b: vec2<f32>, c: vec2<f32>, d: vec2<f32>) -> f32 {
  let e = areaOf(a, c, d);
  let f = areaOf(b, c, d);
  let change = e - f;
  let isParallel = change == 0.0;
  return select(e / select(change, 1.0, isParallel), 0.5, isParallel);
}

/// Whether all sides of what is left are seen from a point, none nearer than so far.
fn isStar(first: u32, mask: u32, p: vec2<f32>, least: f32) -> bool {
  var left = mask;
  while (left != 0u) {
    let i = firstTrailingBit(left);
    left &= left - 1u;
    let a = loopPlaces[first + i].xy;
    let b = loopPlaces[first + bitAfter(mask, i)].xy;
    if (areaOf(p, a, b) <= least * length(b - a)) { return false; }
  }
  return true;
}

/// Two chords that cross, as bytes, where all of what is left is seen from there; else 0.
fn crossingChords(first: u32, mask: u32) -> u32 {
  var starts = mask;
  while (starts != 0u) {
    let i = firstTrailingBit(starts);
    starts &= starts - 1u;
    let a = loopPlaces[first + i];
    let j = chordFrom(mask, i, a);
    if (j == NONE || j < i) { continue; }
    var between = starts & ((1u << j) - 1u);
    while (between != 0u) {
      let k = firstTrailingBit(between);
      between &= between - 1u;
      let c = loopPlaces[first + k];
      let l = chordFrom(mask, k, c);
      if (l == NONE || (l > i && l < j)) { continue; }
      let b = loopPlaces[first + j].xy;
      let share = crossingShare(a.xy, b, c.xy, loopPlaces[first + l].xy);
      let isSeen = isStar(first, mask, mix(a.xy, b, share), LEAST_DISTANCE * distance(a.xy, b));
      return select(0u, i | (j << 8u) | (k << 16u) | (l << 24u), isSeen);
    }
  }
  return 0u;
}

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

/// Keeps vertex k of a loop with an ear, or 0.
fn keepRim(first: u32, k: u32, ear: u32) {
  let place = loopPlaces[first + k];
  rim[first + k] = vec4<f32>(vertices[bitcast<u32>(place.z)].xyz, bitcast<f32>(sideBits(place) | (ear << EAR)));
}

fn clipEars(item: u32) {
  let first = loops[item].first;
  let n = loops[item].n;
  var mask = select((1u << n) - 1u, 0xffffffffu, n >= 32u);
  var chords = loops[item].chords;
  var isStuck = n > MAX_VERTICES || chords == CORNER;
  var hasChords = true;
  let scale = REFINE_SHARE * loops[item].tolerance;
  var nEars = 0u;
  var nLeft = n;
  for (var k = 0u; k < n; k++) { keepRim(first, k, 0u); }
  while (nLeft > 2u && !isStuck) {
    var best = NO_EAR;
    var ear = 0u;
    var left = mask;
    while (left != 0u) {
      let i = firstTrailingBit(left);
      left &= left - 1u;
      let b = loopPlaces[first + i];
      if (hasChords && chordFrom(mask, i, b) != NONE) { continue; }
      let a = loopPlaces[first + bitBefore(mask, i)];
      let c = loopPlaces[first + bitAfter(mask, i)];
      let cost = earCost(first, mask, a, b, c, i, scale);
      if (cost < best) {
        best = cost;
        ear = i;
      }
    }
    if (best == NO_EAR) {
      if (hasChords) { chords = crossingChords(first, mask); }
      // Without chords there may be ears yet.
      isStuck = !hasChords || chords != 0u;
      hasChords = false;
      continue;
    }
    keepRim(first, nEars, bitBefore(mask, ear) | (ear << EAR_BITS) | (bitAfter(mask, ear) << (2u * EAR_BITS)));
    nEars++;
    mask &= ~(1u << ear);
    nLeft--;
  }
  let isLeft = isStuck && n >= 3u;
  loops[item].left = select(0u, mask, isLeft);
  loops[item].chords = chords;
  // A loop where no ear was left is no disc by what is known of it.
  if (isLeft && chords == 0u && n <= MAX_VERTICES) { atomicAdd(&summary[SUMMARY_UNSOUND], 1u); }
}
