// A step of Adam (adam.ts) for one parameter.

struct Moved {
  value: f32,
  moments: vec2<f32>, // of the gradient and of its square
}

// The rate has the first moment's correction in it.
fn adamMove(value: f32, gradient: f32, moments: vec2<f32>, rate: f32) -> Moved {
  let mean = BETA1 * moments.x + (1.0 - BETA1) * gradient;
  let square = BETA2 * moments.y + (1.0 - BETA2) * gradient * gradient;
  let by = rate * mean / (sqrt(square * batch.correct2) + EPSILON);
  return Moved(value - by, vec2<f32>(mean, square));
}
