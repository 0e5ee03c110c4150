// Settles cells: each turns out empty, settled (with its direction), or is to be bisected along an axis. A cell is looked at as
// a whole, then faces of it on which f may vanish and does not increase along its own direction. See Settler (settle.ts).
//
// Generated code stands around this: reduceRegion and what it needs, and `rootValue`, which reads the first layer (or f)
// at a root's corners.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<uniform> settling: Settling;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> roots: array<Root>;
@group(0) @binding(4) var<storage, read> firstLayer: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> cells: array<Cell>;

/// f within this share of what is added up in it may be zero.
const SLACK = 2e-6;

/// What stands for a face's axis where the region is the whole node.
const WHOLE = 3u;

/// How a node turns out: it is to be bisected along an axis, or one of these.
const UNSETTLED = 3u;
const SETTLED = 4u;
const EMPTY = 5u;

var<private> cornerIds: array<u32, 8>;
/// Local units.
var<private> rootSize: vec3<f32>;
/// The node in its root, 0 to 1 along each axis.
var<private> nodeLo: vec3<f32>;
var<private> nodeHi: vec3<f32>;
/// Faces to look into.
var<private> facesLeft: u32;
/// The region in its root, 0 to 1 along each axis.
var<private> regionLo: vec3<f32>;
var<private> regionHi: vec3<f32>;

/// Puts the values at the region's corners of the trilinear function with values a, b at the root's in za, zb.
fn cutRoot(a: vec4<f32>, b: vec4<f32>) {
  let x0 = vec4<f32>(a.xz, b.xz);
  let dx = vec4<f32>(a.yw, b.yw) - x0;
  // Along x at both ends: (y, z) = 00, 10, 01, 11.
  let p = x0 + dx * regionLo.x;
  let q = x0 + dx * regionHi.x;
  // Then along y: (x, z) = 00, 10, 01, 11 at the lower and at the upper end.
  let r = vec4<f32>(p.x, q.x, p.z, q.z);
  let dr = vec4<f32>(p.y, q.y, p.w, q.w) - r;
  let s = r + dr * regionLo.y;
  let t = r + dr * regionHi.y;
  let low = vec4<f32>(s.xy, t.xy);
  let dz = vec4<f32>(s.zw, t.zw) - low;
  za = low + dz * regionLo.z;
  zb = low + dz * regionHi.z;
}

/// The region's own reduced network, and what its tests need.
fn beginRegion(lo: vec3<f32>, hi: vec3<f32>) {
  regionLo = lo;
  regionHi = hi;
  reduceRegion();
  beginTests(rootSize * (hi - lo));
}

/// Whether f has one sign in the region.
fn isTold() -> bool {
  let slack = SLACK * magnitude;
  return least(fCornera, fCornerb) + fError.x > slack || most(fCornera, fCornerb) + fError.y < -slack;
}

/// The axis among those allowed along which the gradient changes most; UNSETTLED where none can be bisected.
fn worstAxis(extent: vec3<u32>, isAllowed: vec3<bool>) -> u32 {
  computeVariation();
  var axis = UNSETTLED;
  var most = -1.0;
  for (var k = 0u; k < 3u; k++) {
    if (!isAllowed[k] || extent[k] < 2u || !(variation[k] > most)) { continue; }
    most = variation[k];
    axis = k;
  }
  return axis;
}

fn longestAxis(extent: vec3<u32>, size: vec3<f32>) -> u32 {
  var axis = UNSETTLED;
  var longest = 0.0;
  for (var k = 0u; k < 3u; k++) {
    if (extent[k] < 2u || size[k] <= longest) { continue; }
    longest = size[k];
    axis = k;
  }
  return axis;
}

/// The faces (bit 2 * axis, 2 * axis + 1 the upper one) on which f may vanish, by the
/// box's own bounds, across the axes that the box's direction does not settle.
fn facesToTest(isHeld: vec3<bool>) -> u32 {
  let slack = SLACK * magnitude;
  let a = fCornera;
  let b = fCornerb;
  var ranges = array<vec4<f32>, 3>(
    vec4<f32>(least(a.xzxz, b.xzxz), least(a.ywyw, b.ywyw), most(a.xzxz, b.xzxz), most(a.ywyw, b.ywyw)),
    vec4<f32>(least(a.xyxy, b.xyxy), least(a.zwzw, b.zwzw), most(a.xyxy, b.xyxy), most(a.zwzw, b.zwzw)),
    vec4<f32>(least(a, a), least(b, b), most(a, a), most(b, b)),
  );
  var faces = 0u;
  for (var axis = 0u; axis < 3u; axis++) {
    let range = ranges[axis];
    let mayVanish = (range.xy + fError.x <= vec2<f32>(slack)) & (range.zw + fError.y >= vec2<f32>(-slack));
    faces |= select(0u, (select(0u, 1u, mayVanish.x) | select(0u, 2u, mayVanish.y)) << (2u * axis), !isHeld[axis]);
  }
  return faces;
}

/// How the region turned out: the axis to bisect the node along; SETTLED; for the whole node also EMPTY, and `facesLeft`.
/// @param across the axis of a face that may hide a closed curve, or WHOLE.
/// @param direction in which f increases in the whole region, or zero.
fn concludeRegion(id: u32, extent: vec3<u32>, across: u32, direction: vec3<f32>) -> u32 {
  let isFound = any(direction != vec3<f32>(0.0)) && !isOverflow;
  let isOneSided = !isOverflow && isTold();
  if (across == WHOLE) {
    facesLeft = select(0u, facesToTest(holdsAcross(direction)), nUnits > 0u);
    cells[id].bounds = vec4<f32>(direction, select(fError.y - fError.x, 3e38, isOverflow));
    if (isOneSided) { return EMPTY; }
    if (isFound) { return SETTLED; }
    if (isOverflow) { return longestAxis(extent, rootSize * (nodeHi - nodeLo)); }
  } else if (isFound || isOneSided || (nUnits == 0u && !isOverflow)) { return SETTLED; }
  return worstAxis(extent, vec3<bool>(across != 0u, across != 1u, across != 2u));
}

/// Takes up the node, or one of its faces (2 * axis, + 1 for the upper one).
fn beginPart(isWhole: bool, face: u32) {
  let axis = face >> 1u;
  var lo = nodeLo;
  var hi = nodeHi;
  if (!isWhole) {
    if ((face & 1u) == 1u) { lo[axis] = hi[axis]; } else { hi[axis] = lo[axis]; }
  }
  beginRegion(lo, hi);
}

/// Takes a node's root and where it lies in it.
fn takeNode(node: vec4<u32>) {
  for (var c = 0u; c < 8u; c++) { cornerIds[c] = roots[node.x].corners[c]; }
  rootSize = roots[node.x].size;
  let scale = 1.0 / f32(1u << fine.subBits);
  nodeLo = vec3<f32>(nodeBegin(node)) * scale;
  nodeHi = vec3<f32>(nodeBegin(node) + nodeExtent(node, fine.subBits)) * scale;
}
