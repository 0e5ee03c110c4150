// The mesh while it is made. A vertex is four words: its position and, as bits, the faces of the domain that it lies on (bit
// 2 * axis for the lower one, 2 * axis + 1 for the upper one), on which it has to stay.

/// Faces of the domain that a position lies on.
fn facesAt(p: vec3<f32>) -> u32 {
  let low = select(vec3<u32>(0u), vec3<u32>(1u, 4u, 16u), p <= detail.low);
  let high = select(vec3<u32>(0u), vec3<u32>(2u, 8u, 32u), p >= detail.high);
  return low.x | low.y | low.z | high.x | high.y | high.z;
}
