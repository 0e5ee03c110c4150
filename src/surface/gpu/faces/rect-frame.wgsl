/// What following the curves on a rectangle needs.
struct RectFrame {
  /// c00, c10, c01, c11 along axis + 1 and axis + 2; and f there.
  corners: vec4<u32>,
  f: vec4<f32>,
  /// Local coordinates of c00 and c11.
  low: vec3<f32>,
  rect: u32,
  high: vec3<f32>,
  axis: u32,
  firstCurve: u32,
  nRoots: u32,
}
