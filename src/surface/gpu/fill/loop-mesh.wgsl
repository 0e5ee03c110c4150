// The triangles of one loop, half-edges with twins, in an invocation's scratch: laid out from the ears and the fan that the loop was cut
// into, divided at new vertices, flipped. See fill-loops.wgsl, which decides where.

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
