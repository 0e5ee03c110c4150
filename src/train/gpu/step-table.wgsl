// Adam for the entries that have a gradient, which is forgotten.

@group(0) @binding(0) var<uniform> batch: TrainBatch;
@group(0) @binding(1) var<storage, read> nTouched: array<u32>;
@group(0) @binding(2) var<storage, read> touched: array<u32>;
@group(0) @binding(3) var<storage, read_write> tableGradient: array<vec2<i32>>;
@group(0) @binding(4) var<storage, read_write> table: array<f32>;
@group(0) @binding(5) var<storage, read_write> tableMoments: array<vec2<f32>>;

fn stepTable(item: u32) {
  let first = touched[item] * N_FEATURES;
  for (var at = first; at < first + N_FEATURES; at++) {
    let units = vec2<f32>(tableGradient[at]);
    let gradient = units.x * batch.highUnit + units.y * batch.lowUnit;
    let moved = adamMove(table[at], gradient, tableMoments[at], batch.tableRate);
    table[at] = moved.value;
    tableMoments[at] = moved.moments;
    tableGradient[at] = vec2<i32>(0);
  }
}
