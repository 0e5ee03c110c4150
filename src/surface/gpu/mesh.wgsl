// The mesh while it is made. A vertex is four words: its position and, as bits, the faces of the domain that it lies on (bit
// 2 * axis for the lower one, 2 * axis + 1 for the upper one), on which it has to stay. The same bits times 64 tell the seams
// that it lies on: faces of the tile that is derived, beyond which another tile goes on. What lies on a seam is not changed
// once it is made, because the other tile makes the same.

/// Faces of the domain and seams that a position lies on.
fn facesAt(p: vec3<f32>) -> u32 {
  let lower = vec3<u32>(1u, 4u, 16u);
  let faces = select(vec3<u32>(0u), lower, p <= detail.low) | select(vec3<u32>(0u), 2u * lower, p >= detail.high);
  let seams = select(vec3<u32>(0u), lower, p <= detail.seamLow) | select(vec3<u32>(0u), 2u * lower, p >= detail.seamHigh);
  return faces.x | faces.y | faces.z | (64u * (seams.x | seams.y | seams.z));
}
