// Looks for a direction in which f falls nowhere in a region: see MonotoneTest (monotone.ts), which this follows name by
// name. The region is a box, or a rectangle: a box without extent along one axis, whose gradient has no such component.
// Needs a reduced region (wgsl-region-network.ts) of eight corners, and `MAX_UNITS`.

/// Directions that are tried before a region is said to have none.
const MAX_DIRECTIONS = 12u;
/// A fall across the region that is rounding, as a share of what is added up in f.
const FALL = 4.8e-7;

/// Intervals of what f takes from each unit, all units' gates considered.
var<private> gates: array<vec2<f32>, MAX_UNITS>;
/// Slopes of A of f and of each unit along the axes, by the corner of the other two coordinates (lower axis first).
var<private> slopeX: array<vec4<f32>, MAX_UNITS + 1u>;
var<private> slopeY: array<vec4<f32>, MAX_UNITS + 1u>;
var<private> slopeZ: array<vec4<f32>, MAX_UNITS + 1u>;
/// The gradient that attains the least slope.
var<private> worst: vec3<f32>;
/// How much the gradient may change along each axis.
var<private> variation: vec3<f32>;
/// A slope that is rounding.
var<private> noise: f32;

fn computeGates() {
  for (var u = 0u; u < nUnits; u++) { gates[u] = vec2<f32>(fB[u]); }
  for (var i = 0u; i < nUnits; i++) {
    let u = nUnits - 1u - i;
    let gate = vec2<f32>(min(0.0, gates[u].x), max(0.0, gates[u].y));
    gates[u] = gate;
    for (var w = 0u; w < u; w++) {
      let b = unitB[u * MAX_UNITS + w];
      gates[w] += b * select(gate.yx, gate, b > 0.0);
    }
  }
}

/// @param inverse one over the extents; 0 along an axis without extent.
fn computeSlopes(inverse: vec3<f32>) {
  for (var g = 0u; g <= nUnits; g++) {
    var a = fAa;
    var b = fAb;
    if (g > 0u) {
      a = unitAa[g - 1u];
      b = unitAb[g - 1u];
    }
    slopeX[g] = vec4<f32>(a.yw - a.xz, b.yw - b.xz) * inverse.x;
    slopeY[g] = vec4<f32>(a.zw - a.xy, b.zw - b.xy) * inverse.y;
    slopeZ[g] = (b - a) * inverse.z;
  }
}

/// The least slope along d over corners and gates; the gradient that attains it goes to `worst`.
fn leastSlope(d: vec3<f32>) -> f32 {
  var xa = slopeX[0].xxyy;
  var xb = slopeX[0].zzww;
  var ya = slopeY[0].xyxy;
  var yb = slopeY[0].zwzw;
  var za = slopeZ[0];
  var zb = slopeZ[0];
  for (var g = 1u; g <= nUnits; g++) {
    let gate = gates[g - 1u];
    let gx = slopeX[g];
    let gy = slopeY[g];
    let gz = slopeZ[g];
    let sa = d.x * gx.xxyy + d.y * gy.xyxy + d.z * gz;
    let sb = d.x * gx.zzww + d.y * gy.zwzw + d.z * gz;
    let ga = select(vec4<f32>(gate.y), vec4<f32>(gate.x), sa > vec4<f32>(0.0));
    let gb = select(vec4<f32>(gate.y), vec4<f32>(gate.x), sb > vec4<f32>(0.0));
    xa += ga * gx.xxyy;
    xb += gb * gx.zzww;
    ya += ga * gy.xyxy;
    yb += gb * gy.zwzw;
    za += ga * gz;
    zb += gb * gz;
  }
  let ta = d.x * xa + d.y * ya + d.z * za;
  let tb = d.x * xb + d.y * yb + d.z * zb;
  var lowest = ta.x;
  worst = vec3<f32>(xa.x, ya.x, za.x);
  for (var c = 1u; c < 8u; c++) {
    let k = c & 3u;
    let t = select(tb[k], ta[k], c < 4u);
    if (t < lowest) {
      lowest = t;
      worst = select(vec3<f32>(xb[k], yb[k], zb[k]), vec3<f32>(xa[k], ya[k], za[k]), c < 4u);
    }
  }
  return lowest;
}

/// The sum of the corners' normalised gradients with every gate half open.
fn startDirection() -> vec3<f32> {
  var xa = slopeX[0].xxyy;
  var xb = slopeX[0].zzww;
  var ya = slopeY[0].xyxy;
  var yb = slopeY[0].zwzw;
  var za = slopeZ[0];
  var zb = slopeZ[0];
  for (var g = 1u; g <= nUnits; g++) {
    let gate = 0.5 * (gates[g - 1u].x + gates[g - 1u].y);
    xa += gate * slopeX[g].xxyy;
    xb += gate * slopeX[g].zzww;
    ya += gate * slopeY[g].xyxy;
    yb += gate * slopeY[g].zwzw;
    za += gate * slopeZ[g];
    zb += gate * slopeZ[g];
  }
  let ia = inverseSqrt(max(xa * xa + ya * ya + za * za, vec4<f32>(1e-30)));
  let ib = inverseSqrt(max(xb * xb + yb * yb + zb * zb, vec4<f32>(1e-30)));
  let one = vec4<f32>(1.0);
  return vec3<f32>(
    dot(xa * ia + xb * ib, one),
    dot(ya * ia + yb * ib, one),
    dot(za * ia + zb * ib, one),
  );
}

/// Prepares the tests of a region.
/// @param extents local units; 0 along an axis without extent.
fn beginTests(extents: vec3<f32>) {
  let isFlat = extents <= vec3<f32>(0.0);
  computeGates();
  // `select` evaluates both: no quotient by nothing.
  computeSlopes(select(1.0 / select(extents, vec3<f32>(1.0), isFlat), vec3<f32>(0.0), isFlat));
  let e = select(extents, vec3<f32>(3e38), isFlat);
  noise = FALL * magnitude / min(e.x, min(e.y, e.z));
}

/// A unit direction in which f falls nowhere, or zero.
fn findDirection() -> vec3<f32> {
  var d = startDirection();
  for (var i = 0u; i < MAX_DIRECTIONS; i++) {
    let norm = length(d);
    if (!(norm > 0.0)) { break; }
    d /= norm;
    if (leastSlope(d) >= -noise) { return d; }
    let worstNorm = length(worst);
    if (!(worstNorm > 0.0)) { break; }
    d += worst / worstNorm;
  }
  return vec3<f32>(0.0);
}

/// Whether f falls nowhere along d's projection on the planes across each axis either: then faces there hide nothing. All three
/// at once, since reading the units' slopes is what it costs.
fn holdsAcross(direction: vec3<f32>) -> vec3<bool> {
  let dx = vec3<f32>(0.0, direction.yz) / max(length(direction.yz), 1e-20);
  let dy = vec3<f32>(direction.x, 0.0, direction.z) / max(length(direction.xz), 1e-20);
  let dz = vec3<f32>(direction.xy, 0.0) / max(length(direction.xy), 1e-20);
  let x = slopeX[0];
  let y = slopeY[0];
  let z = slopeZ[0];
  var xa = dx.y * y.xyxy + dx.z * z;
  var xb = dx.y * y.zwzw + dx.z * z;
  var ya = dy.x * x.xxyy + dy.z * z;
  var yb = dy.x * x.zzww + dy.z * z;
  var za = dz.x * x.xxyy + dz.y * y.xyxy;
  var zb = dz.x * x.zzww + dz.y * y.zwzw;
  for (var g = 1u; g <= nUnits; g++) {
    let gate = gates[g - 1u];
    let gx = slopeX[g];
    let gy = slopeY[g];
    let gz = slopeZ[g];
    xa += leastTerm(dx.y * gy.xyxy + dx.z * gz, gate);
    xb += leastTerm(dx.y * gy.zwzw + dx.z * gz, gate);
    ya += leastTerm(dy.x * gx.xxyy + dy.z * gz, gate);
    yb += leastTerm(dy.x * gx.zzww + dy.z * gz, gate);
    za += leastTerm(dz.x * gx.xxyy + dz.y * gy.xyxy, gate);
    zb += leastTerm(dz.x * gx.zzww + dz.y * gy.zwzw, gate);
  }
  let isDirected = vec3<bool>(any(dx != vec3<f32>(0.0)), any(dy != vec3<f32>(0.0)), any(dz != vec3<f32>(0.0)));
  return isDirected & (vec3<f32>(least(xa, xb), least(ya, yb), least(za, zb)) >= vec3<f32>(-noise));
}

/// The least that a unit adds to slopes, by its gate.
fn leastTerm(slopes: vec4<f32>, gate: vec2<f32>) -> vec4<f32> {
  return slopes * select(vec4<f32>(gate.y), vec4<f32>(gate.x), slopes > vec4<f32>(0.0));
}

/// Lengths of differences of f's gradient between opposite corners, the largest along each axis.
fn gradientDifference() -> vec3<f32> {
  let x = slopeX[0];
  let y = slopeY[0];
  let z = slopeZ[0];
  // The gradient at corner c has x from (y, z), y from (x, z), z from (x, y): along an axis two of the three change.
  let alongX = max(
    max(length(vec2<f32>(y.y - y.x, z.y - z.x)), length(vec2<f32>(y.y - y.x, z.w - z.z))),
    max(length(vec2<f32>(y.w - y.z, z.y - z.x)), length(vec2<f32>(y.w - y.z, z.w - z.z))),
  );
  let alongY = max(
    max(length(vec2<f32>(x.y - x.x, z.z - z.x)), length(vec2<f32>(x.y - x.x, z.w - z.y))),
    max(length(vec2<f32>(x.w - x.z, z.z - z.x)), length(vec2<f32>(x.w - x.z, z.w - z.y))),
  );
  let alongZ = max(
    max(length(vec2<f32>(x.z - x.x, y.z - y.x)), length(vec2<f32>(x.z - x.x, y.w - y.y))),
    max(length(vec2<f32>(x.w - x.y, y.z - y.x)), length(vec2<f32>(x.w - x.y, y.w - y.y))),
  );
  return vec3<f32>(alongX, alongY, alongZ);
}

/// How much the gradient may change along each axis: where a bisection separates most.
fn computeVariation() {
  variation = gradientDifference();
  let one = vec4<f32>(1.0);
  for (var u = 0u; u < nUnits; u++) {
    let g = u + 1u;
    let gx = slopeX[g];
    let gy = slopeY[g];
    let gz = slopeZ[g];
    let meanSquare = dot(gx * gx + gy * gy + gz * gz, one) * 0.25;
    let jump = (gates[u].y - gates[u].x) * sqrt(meanSquare);
    let a = unitAa[u];
    let b = unitAb[u];
    let range = most(a, b) - least(a, b);
    let steps = vec3<f32>(
      most(abs(vec4<f32>(a.yw - a.xz, b.yw - b.xz)), vec4<f32>(0.0)),
      most(abs(vec4<f32>(a.zw - a.xy, b.zw - b.xy)), vec4<f32>(0.0)),
      most(abs(b - a), vec4<f32>(0.0)),
    );
    if (range > 0.0) { variation += jump * steps / range; }
  }
}
