// Divides the triangles of each loop, inside of its leaf, until none stands off the zero set by more than the tolerance where it is
// sampled. See Refiner (refine.ts), which this follows: what lies on the leaf's sides is not touched, because the faces' curves
// are as fine as they have to be; vertices move along the loop's normal only, so triangles keep their orientation
// seen along that. What clipping ears left is fanned around a vertex first.
//
// One invocation fills one loop after the other, in scratch of its own (`wordOf`); what comes out goes to `pool`, wherever there is
// room, and from there to its place in the mesh (emit-inside.wgsl). A loop that needs more than that scratch is left to a second dispatch,
// of few invocations with much of it.
//
// Generated code stands around this: evaluateField, wayOf, PATTERN.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> fill: Fill;
@group(0) @binding(2) var<uniform> detail: Detail;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> loops: array<Loop>;
@group(0) @binding(5) var<storage, read> rim: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> scratch: array<u32>;
@group(0) @binding(7) var<storage, read_write> pool: array<u32>;
/// Vertices inside of each loop; WITHOUT_ROOM where there was not scratch enough.
@group(0) @binding(8) var<storage, read_write> nInside: array<u32>;

/// Height over longest side below which a triangle is divided at that side instead of inside.
const FLAT = 0.4;
/// Share of the tolerance from which a triangle is sampled more closely.
const CLOSER_LOOK = 0.4;
/// Samples of the first look, and of both.
const N_FIRST = 7u;
const N_SAMPLES = 16u;
/// Smaller part of a quadrilateral that a flip may leave, longest squared length relative to the old one's, and what it has to better.
const LEAST_SHARE = 0.1;
const MAX_STRETCH = 1.5;
const FLIP_GAIN = 0.8;
/// How near a new vertex may be to a corner of the triangle that it divides, as a share of that's longest side.
const LEAST_GAP = 0.01;
/// How far out of its leaf a vertex may be, as a share of the tolerance.
const BEYOND = 4.0;
/// Sides that wait for a look at whether they are to be flipped.
const MAX_STACK = 16u;

/// What f is evaluated for: at a sample, across the triangle from there, around it; on a line to a new vertex, at the end of another
/// line where that found nothing; at the middles of an edge that may be flipped and of the one that would come.
const AT_SAMPLE = 0u;
const ACROSS = 1u;
const AROUND = 2u;
const ON_LINE = 3u;
const AT_END = 4u;
const AT_OLD = 5u;
const AT_NEW = 6u;
/// The next triangle to look at, the next side.
const NEXT_TRIANGLE = 7u;
const NEXT_SIDE = 8u;

const IS_FRESH = 0x40000000u;
const WORDS_OF_VERTEX = 8u;

/// Where this invocation's scratch begins: those of a workgroup take turns word by word, so that neighbours read neighbours.
var<private> base: u32;
var<private> nVertices: u32;
var<private> nTriangles: u32;
/// f increases along it, and nothing is moved another way.
var<private> direction: vec3<f32>;
var<private> stack: array<u32, MAX_STACK>;
var<private> nStack: u32;

fn wordOf(k: u32) -> u32 { return base + k * GROUP; }
fn vertexWord(v: u32, k: u32) -> u32 { return wordOf(v * WORDS_OF_VERTEX + k); }
fn triangleWord(t: u32, k: u32) -> u32 { return wordOf(fill.nVertices * WORDS_OF_VERTEX + t * WORDS_OF_TRIANGLE + k); }

fn positionOf(v: u32) -> vec3<f32> {
  return bitcast<vec3<f32>>(vec3<u32>(scratch[vertexWord(v, 0u)], scratch[vertexWord(v, 1u)], scratch[vertexWord(v, 2u)]));
}
fn sidesOf(v: u32) -> u32 { return scratch[vertexWord(v, 7u)]; }
fn setPosition(v: u32, p: vec3<f32>) {
  let bits = bitcast<vec3<u32>>(p);
  for (var k = 0u; k < 3u; k++) { scratch[vertexWord(v, k)] = bits[k]; }
}

/// The corners of a triangle are ten bits each, then whether it has been looked at as it is.
fn cornersOf(t: u32) -> vec3<u32> {
  let word = scratch[triangleWord(t, 0u)];
  return vec3<u32>(word, word >> 10u, word >> 20u) & vec3<u32>(1023u);
}
fn cornerOf(t: u32, k: u32) -> u32 { return (scratch[triangleWord(t, 0u)] >> (10u * k)) & 1023u; }
fn isFresh(t: u32) -> bool { return (scratch[triangleWord(t, 0u)] & IS_FRESH) != 0u; }
fn setCorners(t: u32, a: u32, b: u32, c: u32) { scratch[triangleWord(t, 0u)] = a | (b << 10u) | (c << 20u) | IS_FRESH; }
fn twinOf(h: u32) -> u32 { return scratch[triangleWord(h / 3u, 1u + h % 3u)]; }
/// Makes two half-edges twins; the second may be NONE, on the loop.
fn join(h: u32, g: u32) {
  scratch[triangleWord(h / 3u, 1u + h % 3u)] = g;
  if (g != NONE) { scratch[triangleWord(g / 3u, 1u + g % 3u)] = h; }
}

/// Twice the area of a triangle seen along the direction.
fn areaOf(a: vec3<f32>, b: vec3<f32>, c: vec3<f32>) -> f32 { return dot(direction, cross(b - a, c - a)); }

/// The half-edge on the other side of the one that leads from a place of the loop to the next one that is left, + 1; 0 on the loop itself.
/// It stands where vertices inside have their normal.
fn openWord(place: u32) -> u32 { return vertexWord(place, 3u); }

/// Takes what is left of the loop at a place as the other side of half-edge h.
fn joinOpen(place: u32, h: u32) {
  let other = scratch[openWord(place)];
  join(h, select(other - 1u, NONE, other == 0u));
}

fn isFannedLoop(item: u32) -> bool { return loops[item].left != 0u || loops[item].n > MAX_VERTICES; }

/// Lays out a loop's vertices, the ears that were clipped, and the fan around vertex n where there is one.
fn layOut(item: u32) {
  let first = loops[item].first;
  let n = loops[item].n;
  let isFanned = isFannedLoop(item);
  direction = loops[item].normal;
  nVertices = n;
  nTriangles = 0u;
  for (var k = 0u; k < n; k++) {
    let v = rim[first + k];
    setPosition(k, v.xyz);
    scratch[openWord(k)] = 0u;
    scratch[vertexWord(k, 7u)] = bitcast<u32>(v.w) & SIDES;
  }
  let left = loops[item].left;
  let isLong = n > MAX_VERTICES;
  let nLeft = select(countOneBits(left), n, isLong);
  let nEars = select(n - 2u, n - nLeft, isFanned);
  for (var k = 0u; k < nEars; k++) {
    let ear = vec3<u32>(bitcast<u32>(rim[first + k].w) >> EAR) >> vec3<u32>(0u, EAR_BITS, 2u * EAR_BITS);
    let t = ear & vec3<u32>((1u << EAR_BITS) - 1u);
    let h = 3u * nTriangles;
    setCorners(nTriangles, t.x, t.y, t.z);
    joinOpen(t.x, h);
    joinOpen(t.y, h + 1u);
    // The ear's own side is what is left of the loop there.
    scratch[openWord(t.x)] = h + 3u;
    scratch[triangleWord(nTriangles, 3u)] = NONE;
    nTriangles++;
    // The last ear's own side is the one that is left.
    if (!isFanned && k + 1u == nEars) { joinOpen(t.z, h + 2u); }
  }
  if (!isFanned) { return; }
  let centre = nVertices;
  nVertices++;
  scratch[vertexWord(centre, 7u)] = 0u;
  let begin = select(firstTrailingBit(left), 0u, isLong);
  var place = begin;
  let begun = nTriangles;
  for (var k = 0u; k < nLeft; k++) {
    let above = select(left & (0xfffffffeu << place), 0u, place == 31u);
    let after = select(select(begin, firstTrailingBit(above), above != 0u), (place + 1u) % n, isLong);
    setCorners(nTriangles, place, after, centre);
    joinOpen(place, 3u * nTriangles);
    if (k > 0u) { join(3u * nTriangles + 2u, 3u * nTriangles - 2u); }
    nTriangles++;
    place = after;
  }
  join(3u * begun + 2u, 3u * nTriangles - 2u);
}

/// Where the fan's centre is looked for: at the corner, at the crossing of two chords, or in the middle.
fn centreOf(item: u32) -> vec3<f32> {
  let chords = loops[item].chords;
  if (chords == CORNER) { return loops[item].corner; }
  if (chords != 0u) {
    // The point of the surface between the two chords, which need not meet.
    let a = positionOf(chords & 255u);
    let u = positionOf((chords >> 8u) & 255u) - a;
    let c = positionOf((chords >> 16u) & 255u);
    let v = positionOf(chords >> 24u) - c;
    let uu = dot(u, u);
    let uv = dot(u, v);
    let vv = dot(v, v);
    let w = a - c;
    let det = max(uu * vv - uv * uv, 1e-30);
    let s = clamp((uv * dot(v, w) - vv * dot(u, w)) / det, 0.0, 1.0);
    let t = clamp((uu * dot(v, w) - uv * dot(u, w)) / det, 0.0, 1.0);
    return 0.5 * (a + s * u + c + t * v);
  }
  let n = loops[item].n;
  let isLong = n > MAX_VERTICES;
  let left = loops[item].left;
  var sum = vec3<f32>(0.0);
  var nSum = 0.0;
  for (var k = 0u; k < n; k++) {
    if (!isLong && ((left >> k) & 1u) == 0u) { continue; }
    sum += positionOf(k);
    nSum += 1.0;
  }
  return sum / max(nSum, 1.0);
}

/// The side at which a triangle is divided: the longest one of a flat triangle, seen along the direction, or the one that stands off
/// most; of those on the loop, which stay, the next best. 3 where it is divided inside.
fn sideToDivide(t: u32, worst: u32) -> u32 {
  let corners = cornersOf(t);
  let a = positionOf(corners.x);
  let b = positionOf(corners.y);
  let c = positionOf(corners.z);
  let area = areaOf(a, b, c);
  var sides = vec3<f32>(dot(b - a, b - a), dot(c - b, c - b), dot(a - c, a - c));
  let along = vec3<f32>(dot(b - a, direction), dot(c - b, direction), dot(a - c, direction));
  sides -= along * along;
  let isFlat = area < FLAT * max(sides.x, max(sides.y, sides.z));
  if (!isFlat) { return worst; }
  for (var k = 0u; k < 3u; k++) { sides[k] = select(sides[k], -1.0, twinOf(3u * t + k) == NONE); }
  let longest = select(select(2u, 1u, sides.y >= sides.z), 0u, sides.x >= sides.y && sides.x >= sides.z);
  return select(longest, 3u, sides[longest] < 0.0);
}

/// The corner opposite half-edge h in the triangle on its other side.
fn apexBeyond(h: u32) -> vec3<f32> {
  let g = twinOf(h);
  return positionOf(cornerOf(g / 3u, beforeHalf(g) % 3u));
}

fn push(h: u32) {
  if (nStack < MAX_STACK) {
    stack[nStack] = h;
    nStack++;
  }
}

/// Divides triangle t at vertex v inside.
fn divideInside(t: u32, v: u32) {
  let c = cornersOf(t);
  let n = nTriangles;
  let m = n + 1u;
  nTriangles += 2u;
  let bc = twinOf(3u * t + 1u);
  let ca = twinOf(3u * t + 2u);
  setCorners(t, c.x, c.y, v);
  setCorners(n, c.y, c.z, v);
  setCorners(m, c.z, c.x, v);
  join(3u * n, bc);
  join(3u * m, ca);
  join(3u * t + 1u, 3u * n + 2u);
  join(3u * n + 1u, 3u * m + 2u);
  join(3u * m + 1u, 3u * t + 2u);
  push(3u * t);
  push(3u * n);
  push(3u * m);
}

/// Divides the triangles on both sides of half-edge h at vertex v.
fn divideSide(h: u32, v: u32) {
  let g = twinOf(h);
  let t = h / 3u;
  let o = g / 3u;
  let a = cornerOf(t, h % 3u);
  let b = cornerOf(o, g % 3u);
  let bc = twinOf(nextHalf(h));
  let ca = twinOf(beforeHalf(h));
  let ad = twinOf(nextHalf(g));
  let db = twinOf(beforeHalf(g));
  let c = cornerOf(t, beforeHalf(h) % 3u);
  let d = cornerOf(o, beforeHalf(g) % 3u);
  let n = nTriangles;
  let m = n + 1u;
  nTriangles += 2u;
  setCorners(t, a, v, c);
  setCorners(n, v, b, c);
  setCorners(o, v, a, d);
  setCorners(m, b, v, d);
  join(3u * t + 2u, ca);
  join(3u * n + 1u, bc);
  join(3u * o + 1u, ad);
  join(3u * m + 2u, db);
  join(3u * t, 3u * o);
  join(3u * n, 3u * m);
  join(3u * t + 1u, 3u * n + 2u);
  join(3u * o + 2u, 3u * m + 1u);
  push(3u * t + 2u);
  push(3u * n + 1u);
  push(3u * o + 1u);
  push(3u * m + 2u);
}

/// Whether half-edge h of a triangle with a new apex v may be flipped: the new triangles are seen, and not much wider.
fn mayFlip(h: u32) -> bool {
  let g = twinOf(h);
  if (g == NONE) { return false; }
  let ia = cornerOf(h / 3u, h % 3u);
  let ib = cornerOf(g / 3u, g % 3u);
  let iv = cornerOf(h / 3u, beforeHalf(h) % 3u);
  let iw = cornerOf(g / 3u, beforeHalf(g) % 3u);
  let a = positionOf(ia);
  let b = positionOf(ib);
  let v = positionOf(iv);
  let w = positionOf(iw);
  let one = areaOf(a, w, v);
  let two = areaOf(w, b, v);
  let isSeen = min(one, two) > LEAST_SHARE * (one + two);
  return isSeen && iv != iw && (sidesOf(iv) & sidesOf(iw)) == 0u && dot(v - w, v - w) <= MAX_STRETCH * dot(a - b, a - b);
}

/// Flips the edge of half-edge h, and pushes the two sides opposite its triangle's apex.
fn flip(h: u32) {
  let g = twinOf(h);
  let t = h / 3u;
  let o = g / 3u;
  let a = cornerOf(t, h % 3u);
  let b = cornerOf(o, g % 3u);
  let v = cornerOf(t, beforeHalf(h) % 3u);
  let w = cornerOf(o, beforeHalf(g) % 3u);
  let bv = twinOf(nextHalf(h));
  let va = twinOf(beforeHalf(h));
  let aw = twinOf(nextHalf(g));
  let wb = twinOf(beforeHalf(g));
  setCorners(t, a, w, v);
  setCorners(o, w, b, v);
  join(3u * t, aw);
  join(3u * t + 2u, va);
  join(3u * o, wb);
  join(3u * o + 1u, bv);
  join(3u * t + 1u, 3u * o + 2u);
  push(3u * t);
  push(3u * o);
}

/// Fills a loop. @returns whether there was room for it.
fn fillLoop(item: u32) -> bool {
  let n = loops[item].n;
  let tolerance = REFINE_SHARE * loops[item].tolerance;
  // A surface that touches a side of its leaf may go beyond that by as much as chains leave out.
  let low = max(loops[item].low - BEYOND * loops[item].tolerance, detail.low);
  let high = min(loops[item].high + BEYOND * loops[item].tolerance, detail.high);
  if (n + 1u > fill.nVertices || n > fill.nTriangles) { return false; }
  layOut(item);
  nStack = 0u;
  let isFanned = isFannedLoop(item);
  var state = NEXT_TRIANGLE;
  var point = vec3<f32>(0.0);
  /// Triangle, its corners, its longest side.
  var t = 0u;
  var a = vec3<f32>(0.0);
  var b = a;
  var c = a;
  var longest = 0.0;
  /// Number of the sample; the largest deviation so far, and the side it was found on; f and the deviation at the sample at hand.
  var k = 0u;
  var most = 0.0;
  var worst = 3u;
  var f0 = 0.0;
  var off = 0.0;
  var way = 0u;
  /// The line to a new vertex: between which of its points the zero set is, and the nearest place so far, |f| and the gradient there.
  var origin = vec3<f32>(0.0);
  var along = direction;
  var lo = 0.0;
  var hi = 0.0;
  var s = 0.0;
  var step = 0u;
  var best = vec4<f32>(0.0, 0.0, 0.0, 3e38);
  var gradient = vec3<f32>(0.0);
  /// The half-edge that is divided there, or NONE.
  var divided = NONE;
  var isCentre = isFanned;
  var nFlips = 0u;
  var nTurned = 0u;
  var flipped = 0u;
  if (isFanned) {
    origin = clamp(centreOf(item), low, high);
    state = ON_LINE;
    lo = fill.far;
  }
  for (;;) {
    if (state == NEXT_SIDE) {
      state = NEXT_TRIANGLE;
      while (nStack > 0u && nFlips < fill.maxFlips) {
        nStack--;
        nFlips++;
        flipped = stack[nStack];
        if (mayFlip(flipped)) {
          state = AT_OLD;
          break;
        }
      }
      if (state == AT_OLD) {
        let g = twinOf(flipped);
        point = 0.5 * (positionOf(cornerOf(flipped / 3u, flipped % 3u)) + positionOf(cornerOf(g / 3u, g % 3u)));
      }
    }
    if (state == NEXT_TRIANGLE) {
      nStack = 0u;
      while (t < nTriangles && !isFresh(t)) { t++; }
      if (t >= nTriangles) { break; }
      let corners = cornersOf(t);
      scratch[triangleWord(t, 0u)] &= ~IS_FRESH;
      a = positionOf(corners.x);
      b = positionOf(corners.y);
      c = positionOf(corners.z);
      longest = sqrt(max(dot(b - a, b - a), max(dot(c - b, c - b), dot(a - c, a - c))));
      // A point of a triangle is never farther from the zero set than from the nearest corner.
      if (longest <= tolerance) { continue; }
      k = 0u;
      most = 0.0;
      worst = 3u;
      state = AT_SAMPLE;
    }
    if (state == AT_SAMPLE) {
      // Sides on the loop are not sampled, and others by the last one of their triangles to be looked at.
      for (; k < N_SAMPLES; k++) {
        if (k == N_FIRST && (most > tolerance || most <= CLOSER_LOOK * tolerance)) { k = N_SAMPLES; }
        let side = PATTERN[min(k, N_SAMPLES - 1u)].w;
        if (side == 3u || k == N_SAMPLES) { break; }
        let twin = twinOf(3u * t + side);
        if (twin != NONE && !isFresh(min(twin / 3u, fill.nTriangles - 1u))) { break; }
      }
      if (k >= N_SAMPLES) {
        state = NEXT_TRIANGLE;
        if (most <= tolerance) { continue; }
        if (nVertices >= fill.nVertices || nTriangles + 2u > fill.nTriangles) {
          if (fill.isLast == 0u) { return false; }
          atomicAdd(&counts[N_REFUSED], 1u);
          break;
        }
        let side = sideToDivide(t, worst);
        divided = select(3u * t + side, NONE, side == 3u);
        let middle = select(select(0.5 * (c + a), 0.5 * (b + c), side == 1u), 0.5 * (a + b), side == 0u);
        origin = select(middle, (a + b + c) / 3.0, side == 3u);
        state = ON_LINE;
        lo = fill.far;
      } else {
        let w = vec3<f32>(PATTERN[k].xyz) / 12.0;
        point = w.x * a + w.y * b + w.z * c;
      }
    }
    if (state == ON_LINE && lo == fill.far) {
      // A new line: as far as it is in the leaf.
      along = direction;
      let slow = vec3<f32>(abs(along) < vec3<f32>(1e-12));
      let inverse = 1.0 / select(along, vec3<f32>(1.0), abs(along) < vec3<f32>(1e-12));
      let x = (low - origin) * inverse;
      let y = (high - origin) * inverse;
      let entry = min(x, y) - slow * fill.far;
      let exit = max(x, y) + slow * fill.far;
      lo = max(entry.x, max(entry.y, entry.z));
      hi = min(exit.x, min(exit.y, exit.z));
      s = clamp(0.0, lo, max(lo, hi));
      step = 0u;
      best = vec4<f32>(0.0, 0.0, 0.0, 3e38);
      point = clamp(origin + s * along, low, high);
    }
    let here = evaluateField(point, state <= AT_SAMPLE || state == ON_LINE || state >= AT_OLD);
    let f = here.w;
    let slope = length(here.xyz);
    let isCrossed = (f >= 0.0) != (f0 >= 0.0);
    if (state == AT_SAMPLE) {
      f0 = f;
      off = abs(f) / max(slope, 1e-30);
      if (off > max(most, tolerance)) {
        // Beside a crease the first-order figure may be anything.
        state = ACROSS;
        point += select(tolerance, -tolerance, f >= 0.0) * direction;
        continue;
      }
      if (off > most) {
        most = off;
        worst = PATTERN[k].w;
      }
      k++;
    } else if (state == ACROSS || state == AROUND) {
      let sample = vec3<f32>(PATTERN[k].xyz) / 12.0;
      let place = sample.x * a + sample.y * b + sample.z * c;
      way = select(0u, way + 1u, state == AROUND);
      if (!isCrossed && off > longest && way < N_WAYS) {
        state = AROUND;
        point = place + tolerance * wayOf(way);
        continue;
      }
      let found = select(off, tolerance, isCrossed);
      if (found > most) {
        most = found;
        worst = PATTERN[k].w;
      }
      k++;
      state = AT_SAMPLE;
    } else if (state == ON_LINE) {
      if (abs(f) < best.w) {
        best = vec4<f32>(point, abs(f));
        gradient = here.xyz;
      }
      if (step == 0u) { f0 = f; }
      step++;
      if (f > 0.0) { hi = s; } else { lo = s; }
      let rise = dot(along, here.xyz);
      let newton = s - f / select(rise, 1.0, rise == 0.0);
      // Beside a crease Newton's steps may go on and on from one side.
      let isNewton = rise != 0.0 && newton > lo && newton < hi && step % 4u != 3u;
      let next = select(0.5 * (lo + hi), newton, isNewton);
      let isEnd = abs(f) <= fill.enough * slope || abs(next - s) <= fill.least || step >= fill.nTries;
      if (!isEnd) {
        s = next;
        point = clamp(origin + s * along, low, high);
        continue;
      }
      let size = max(length(gradient), fill.flat);
      let isOn = best.w <= max(fill.most * size, fill.noise);
      let v = select(nVertices, n, isCentre);
      let isInside = all(best.xyz > low) && all(best.xyz < high);
      // Of a triangle that is seen edge-on a side's middle may be moved onto its corner; then that side is the one to be flipped.
      let across = select(a, apexBeyond(divided), divided != NONE);
      let nearest = min(min(distance(best.xyz, a), distance(best.xyz, b)), min(distance(best.xyz, c), distance(best.xyz, across)));
      if (!isCentre && !(isOn && isInside && nearest > LEAST_GAP * longest)) {
        state = NEXT_TRIANGLE;
        if (isOn && isInside && divided != NONE && nTurned < fill.maxFlips && mayFlip(divided)) {
          nTurned++;
          t = min(t, twinOf(divided) / 3u);
          flip(divided);
        } else { atomicAdd(&counts[N_REFUSED], 1u); }
        continue;
      }
      if (isCentre && !isOn && way < N_WAYS) {
        // Between creases the direction may miss the zero set: lines to the leaf's corners and sides are tried.
        state = AT_END;
        point = clamp(origin + distance(low, high) * wayOf(way), loops[item].low, loops[item].high);
        way++;
        continue;
      }
      setPosition(v, best.xyz);
      let normal = bitcast<vec3<u32>>(gradient / size);
      for (var i = 0u; i < 3u; i++) { scratch[vertexWord(v, 3u + i)] = normal[i]; }
      scratch[vertexWord(v, 6u)] = bitcast<u32>(select(size, -size, best.w > OFF * max(fill.most * size, fill.noise)));
      if (isCentre) {
        isCentre = false;
        state = NEXT_TRIANGLE;
        continue;
      }
      scratch[vertexWord(v, 7u)] = 0u;
      nVertices++;
      if (divided == NONE) { divideInside(t, v); }
      else {
        t = min(t, twinOf(divided) / 3u);
        divideSide(divided, v);
      }
      nFlips = select(0u, fill.maxFlips, nVertices - n > fill.maxWithFlips);
      state = NEXT_SIDE;
    } else if (state == AT_END) {
      let reach = distance(origin, point);
      state = ON_LINE;
      if (isCrossed && reach > 0.0) {
        along = select(origin - point, point - origin, f >= 0.0) / reach;
        lo = select(-reach, 0.0, f >= 0.0);
        hi = lo + reach;
        s = lo + 0.5 * reach;
        step = 1u;
        point = clamp(origin + s * along, low, high);
      } else {
        // What there is so far ends it.
        step = fill.nTries;
        point = best.xyz;
      }
    } else if (state == AT_OLD) {
      off = abs(f) / max(slope, 1e-30);
      let g = twinOf(flipped);
      point = 0.5 * (positionOf(cornerOf(flipped / 3u, beforeHalf(flipped) % 3u)) + positionOf(cornerOf(g / 3u, beforeHalf(g) % 3u)));
      state = AT_NEW;
    } else if (state == AT_NEW) {
      if (abs(f) / max(slope, 1e-30) < FLIP_GAIN * off) {
        t = min(t, min(flipped, twinOf(flipped)) / 3u);
        flip(flipped);
      }
      state = NEXT_SIDE;
    }
  }
  return true;
}

/// Gives what a loop was filled with to the pool.
fn keepLoop(item: u32) {
  let n = loops[item].n;
  let inside = nVertices - n;
  let nWords = inside * WORDS_INSIDE + nTriangles * WORDS_OF_TRIANGLE;
  let first = atomicAdd(&counts[N_FILLED], nWords);
  nInside[item] = inside;
  loops[item].inside = inside;
  loops[item].filled = first;
  if (first + nWords > arrayLength(&pool)) { return; }
  for (var i = 0u; i < inside; i++) {
    for (var k = 0u; k < WORDS_INSIDE; k++) { pool[first + i * WORDS_INSIDE + k] = scratch[vertexWord(n + i, k)]; }
  }
  let begin = first + inside * WORDS_INSIDE;
  for (var i = 0u; i < nTriangles; i++) {
    for (var k = 0u; k < WORDS_OF_TRIANGLE; k++) { pool[begin + i * WORDS_OF_TRIANGLE + k] = scratch[triangleWord(i, k)]; }
  }
}

@compute @workgroup_size(GROUP)
fn fillLoops(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  base = group.x * GROUP * (fill.nVertices * WORDS_OF_VERTEX + fill.nTriangles * WORDS_OF_TRIANGLE) + local;
  let nLoops = min(atomicLoad(&counts[N_LOOPS]), arrayLength(&nInside));
  for (var item = group.x * GROUP + local; item < nLoops; item += fill.nLanes) {
    if (fill.isLast != 0u && nInside[item] != WITHOUT_ROOM) { continue; }
    if (loops[item].n < 3u) {
      nInside[item] = 0u;
      loops[item].inside = 0u;
    }
    else if (fillLoop(item)) { keepLoop(item); }
    else { nInside[item] = WITHOUT_ROOM; }
  }
}
