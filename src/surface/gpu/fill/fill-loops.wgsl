// Divides the triangles of each loop, inside of its leaf, until none stands off the zero set by more than the tolerance where it is
// sampled. See Refiner (refine.ts), which this follows: what lies on the leaf's sides is not touched, because the faces' curves
// are as fine as they have to be; vertices move along the loop's normal only, so triangles keep their orientation
// seen along that. What clipping ears left is fanned around a vertex first.
//
// One invocation fills one loop after the other, in scratch of its own (`wordOf`); what comes out goes to `pool`, wherever there is
// room, and from there to its place in the mesh (emit-inside.wgsl). A loop that needs more than that scratch is left to a second dispatch,
// of few invocations with much of it.
//
// Generated code stands around this: evaluateField, wayOf, PATTERN; and loop-mesh.wgsl, the triangles of a loop.

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
