// Sums of products of what the samples left, over a chunk of them: partial gradients of the network, in the order of the samples.

@group(0) @binding(0) var<uniform> batch: TrainBatch;
@group(0) @binding(1) var<storage, read> traces: array<f32>;
@group(0) @binding(2) var<storage, read> products: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

fn sumProducts(item: u32) {
  let nProducts = arrayLength(&products);
  let pair = products[item % nProducts];
  let first = (item / nProducts) * CHUNK_SAMPLES;
  var sum = 0.0;
  for (var i = first; i < min(first + CHUNK_SAMPLES, batch.nSamples); i++) {
    sum += traces[i * N_TRACES + pair.x] * traces[i * N_TRACES + pair.y];
  }
  partials[item] = sum;
}
