// The gradient of each parameter of the network, summed over the chunks in their order, and Adam; after the parameters the sums of errors.

@group(0) @binding(0) var<uniform> batch: TrainBatch;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> mlp: array<f32>;
@group(0) @binding(3) var<storage, read_write> mlpMoments: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> errors: array<f32>;

fn stepNetwork(item: u32) {
  let nParameters = arrayLength(&mlpMoments);
  var gradient = 0.0;
  for (var at = item; at < arrayLength(&partials); at += nParameters + N_ERRORS) { gradient += partials[at]; }
  if (item >= nParameters) {
    errors[item - nParameters] = gradient;
    return;
  }
  let moved = adamMove(mlp[item], gradient, mlpMoments[item], batch.mlpRate);
  mlp[item] = moved.value;
  mlpMoments[item] = moved.moments;
}
