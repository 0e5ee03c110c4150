// The largest of the errors that were measured, and how many are beyond the tolerance.

@group(0) @binding(0) var<storage, read> errors: array<vec2<f32>>;
@group(0) @binding(1) var<storage, read_write> summary: array<atomic<u32>>;

fn sumError(item: u32) {
  let error = errors[item];
  atomicMax(&summary[SUMMARY_ERROR], bitcast<u32>(error.x));
  atomicMax(&summary[SUMMARY_MISSED], bitcast<u32>(error.y));
  if (error.y > 1.0) { atomicAdd(&summary[SUMMARY_LEFT], 1u); }
  if (error.y > FAR) { atomicAdd(&summary[SUMMARY_FAR], 1u); }
}
