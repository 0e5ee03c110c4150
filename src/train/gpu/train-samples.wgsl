// Gradients of the loss, a sample an invocation: what GradientKernel (gradient.ts) does, in single precision. Gradients of the tables
// are summed in fixed point, where the order of sums is no matter; for the network's each sample leaves its factors.

@group(0) @binding(0) var<uniform> batch: TrainBatch;
@group(0) @binding(1) var<uniform> levels: array<TrainLevel, N_LEVELS>;
@group(0) @binding(2) var<uniform> layers: array<TrainLayer, N_LAYERS>;
@group(0) @binding(3) var<storage, read> samples: array<f32>;
@group(0) @binding(4) var<storage, read> table: array<f32>;
@group(0) @binding(5) var<storage, read> mlp: array<f32>;
@group(0) @binding(6) var<storage, read_write> tableGradient: array<atomic<i32>>;
@group(0) @binding(7) var<storage, read_write> stamps: array<atomic<u32>>;
@group(0) @binding(8) var<storage, read_write> nTouched: array<atomic<u32>>;
@group(0) @binding(9) var<storage, read_write> touched: array<u32>;
@group(0) @binding(10) var<storage, read_write> traces: array<f32>;

// Slopes below this are none.
const LEAST_NORM = 1e-30;

// Per level: the entry of the cell's corner 0, and the place in the cell.
var<private> cells: array<u32, N_LEVELS>;
var<private> fractions: array<vec3<f32>, N_LEVELS>;
// Per feature: gradient, and mixed second derivatives (xy, xz, yz) inside the cell; in [-1, 1]³.
var<private> gradients: array<vec3<f32>, N_INPUTS>;
var<private> mixed: array<vec3<f32>, N_INPUTS>;
// Of all layers, the features first: activations, slopes of f by the pre-activations, tangents.
var<private> values: array<f32, N_VALUES>;
var<private> slopes: array<f32, N_VALUES>;
var<private> tangents: array<f32, N_VALUES>;

fn entryOf(level: TrainLevel, cell: u32, corner: u32) -> u32 {
  let side = level.resolution;
  return cell + (corner & 1u) + ((corner >> 1u) & 1u) * side + (corner >> 2u) * side * side;
}

fn encode(point: vec3<f32>) {
  for (var l = 0u; l < N_LEVELS; l++) {
    let level = levels[l];
    let place = 0.5 * (point + 1.0) * level.scale + level.offset;
    let corner = floor(place);
    let at = vec3<u32>(corner);
    let w = place - corner;
    let cell = level.firstEntry + at.x + (at.y + at.z * level.resolution) * level.resolution;
    cells[l] = cell;
    fractions[l] = w;
    let s = 0.5 * level.scale;
    for (var j = 0u; j < N_FEATURES; j++) {
      var a: array<f32, 8>;
      for (var c = 0u; c < 8u; c++) { a[c] = table[entryOf(level, cell, c) * N_FEATURES + j]; }
      let ax = a[1] - a[0];
      let ay = a[2] - a[0];
      let az = a[4] - a[0];
      let axy = a[3] - a[2] - ax;
      let axz = a[5] - a[4] - ax;
      let ayz = a[6] - a[4] - ay;
      let axyz = a[7] - a[6] - (a[5] - a[4]) - axy;
      let bend = vec3<f32>(axy + axyz * w.z, axz + axyz * w.y, ayz + axyz * w.x);
      let dx = ax + axy * w.y + bend.y * w.z;
      let k = l * N_FEATURES + j;
      values[k] = a[0] + ay * w.y + az * w.z + ayz * w.y * w.z + dx * w.x;
      gradients[k] = s * vec3<f32>(dx, ay + axy * w.x + bend.z * w.z, az + axz * w.x + ayz * w.y + axyz * w.x * w.y);
      mixed[k] = s * s * bend;
    }
  }
}

fn forward() -> f32 {
  for (var l = 0u; l < N_LAYERS; l++) {
    let layer = layers[l];
    let out = layer.inputsAt + layer.nIn;
    for (var row = 0u; row < layer.nOut; row++) {
      var z = mlp[layer.biasAt + row];
      let w = layer.weightsAt + row * layer.nIn;
      for (var i = 0u; i < layer.nIn; i++) { z += mlp[w + i] * values[layer.inputsAt + i]; }
      values[out + row] = select(max(z, 0.0), z, l + 1u == N_LAYERS);
    }
  }
  return values[N_VALUES - 1u];
}

fn backward() {
  slopes[N_VALUES - 1u] = 1.0;
  for (var n = 0u; n < N_LAYERS; n++) {
    let l = N_LAYERS - 1u - n;
    let layer = layers[l];
    let out = layer.inputsAt + layer.nIn;
    for (var i = 0u; i < layer.nIn; i++) {
      var sum = 0.0;
      for (var row = 0u; row < layer.nOut; row++) {
        sum += slopes[out + row] * mlp[layer.weightsAt + row * layer.nIn + i];
      }
      let isOff = l > 0u && values[layer.inputsAt + i] == 0.0;
      slopes[layer.inputsAt + i] = select(sum, 0.0, isOff);
    }
  }
}

// Along the residuals r of the gradient and m of the mixed derivatives: h' of every layer.
fn tangent(r: vec3<f32>, m: vec3<f32>) {
  for (var k = 0u; k < N_INPUTS; k++) { tangents[k] = dot(r, gradients[k]) + dot(m, mixed[k]); }
  for (var l = 0u; l + 1u < N_LAYERS; l++) {
    let layer = layers[l];
    let out = layer.inputsAt + layer.nIn;
    for (var row = 0u; row < layer.nOut; row++) {
      var sum = 0.0;
      let w = layer.weightsAt + row * layer.nIn;
      for (var i = 0u; i < layer.nIn; i++) { sum += mlp[w + i] * tangents[layer.inputsAt + i]; }
      tangents[out + row] = select(sum, 0.0, values[out + row] == 0.0);
    }
  }
}

// The derivative of the distance term by f.
fn distanceSlope(f: f32, distance: f32) -> f32 {
  let reach = abs(distance);
  let sign = select(1.0, -1.0, distance < 0.0);
  if (reach > FAR && sign * f < FAR_SHARE * reach) { return -sign; }
  return select(1.0, -1.0, f < distance) * DISTANCE_SCALE / (reach + DISTANCE_SCALE);
}

// The integers of a share; what is beyond MAX_SHARE is cut off, so that no sum of a batch overflows.
fn addShare(at: u32, share: f32) {
  let kept = clamp(share, -MAX_SHARE, MAX_SHARE);
  let high = round(kept * batch.perHighUnit);
  let rest = kept - high * batch.highUnit;
  if (high != 0.0) { atomicAdd(&tableGradient[at * 2u], i32(high)); }
  atomicAdd(&tableGradient[at * 2u + 1u], i32(round(rest * batch.perLowUnit)));
}

// To every corner of every cell: v times the corner's share of value, gradient and mixed derivatives.
fn addTables(slope: f32, r: vec3<f32>, m: vec3<f32>) {
  for (var l = 0u; l < N_LEVELS; l++) {
    let level = levels[l];
    let s = 0.5 * level.scale;
    for (var c = 0u; c < 8u; c++) {
      let isUp = (vec3<u32>(c) & vec3<u32>(1u, 2u, 4u)) != vec3<u32>(0u);
      let w = select(1.0 - fractions[l], fractions[l], isUp);
      let d = select(vec3<f32>(-s), vec3<f32>(s), isUp);
      let share = slope * w.x * w.y * w.z
        + r.x * d.x * w.y * w.z + r.y * w.x * d.y * w.z + r.z * w.x * w.y * d.z
        + m.x * d.x * d.y * w.z + m.y * d.x * w.y * d.z + m.z * w.x * d.y * d.z;
      let entry = entryOf(level, cells[l], c);
      if (atomicExchange(&stamps[entry], batch.stamp) != batch.stamp) {
        let at = atomicAdd(&nTouched[0], 1u);
        if (at < arrayLength(&touched)) { touched[at] = entry; }
      }
      for (var j = 0u; j < N_FEATURES; j++) {
        addShare(entry * N_FEATURES + j, share * slopes[l * N_FEATURES + j]);
      }
    }
  }
}

fn trainSample(item: u32) {
  let first = item * SAMPLE_STRIDE;
  let distance = samples[first + 3u];
  let normal = vec3<f32>(samples[first + 4u], samples[first + 5u], samples[first + 6u]);
  encode(vec3<f32>(samples[first], samples[first + 1u], samples[first + 2u]));
  let f = forward();
  backward();
  let reach = abs(distance);
  let slope = distanceSlope(f, distance);
  var r = vec3<f32>(0.0);
  var m = vec3<f32>(0.0);
  for (var k = 0u; k < N_INPUTS; k++) {
    r += slopes[k] * gradients[k];
    m += slopes[k] * mixed[k];
  }
  let norm = length(r);
  let pull = select(0.0, batch.eikonal * (norm - 1.0) / max(norm, LEAST_NORM), norm > 0.0);
  let isNormal = any(normal != vec3<f32>(0.0)) && reach < NORMAL_REACH;
  r = pull * r + select(vec3<f32>(0.0), batch.normal * (r - normal), isNormal);
  m *= select(0.0, batch.curvature, reach < CURVATURE_REACH);
  tangent(r, m);
  let to = item * N_TRACES;
  for (var i = 0u; i + 1u < N_VALUES; i++) { traces[to + i] = tangents[i] + slope * values[i]; }
  for (var i = N_INPUTS; i < N_VALUES; i++) { traces[to + N_VALUES - 1u + i - N_INPUTS] = slopes[i]; }
  let isNear = reach < DISTANCE_SCALE;
  traces[to + N_TRACES - 3u] = slope;
  traces[to + N_TRACES - 2u] = select(0.0, abs(f - distance), isNear);
  traces[to + N_TRACES - 1u] = select(0.0, 1.0, isNear);
  addTables(slope, r, m);
}
