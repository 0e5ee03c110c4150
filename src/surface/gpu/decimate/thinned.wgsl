// What is known of a vertex while the mesh is thinned out page by page. A page is a box of space. Only what lies inside of one
// changes: a vertex whose neighbours are all in its own page is inner, and moves only onto another one that is; so no
// page reads what another one writes. Where the pages' faces were vertices stay, until pages are laid otherwise.

struct Thinned {
  /// A half-edge that begins here, + 1; 0 where the vertex has no triangle.
  spoke: atomic<u32>,
  /// The largest of the claims on it, see claimOf.
  claim: atomic<u32>,
  /// The next inner vertex of its page's list, + 1.
  next: u32,
  /// The half-edge to the neighbour that it can be moved onto, + 1, or 0.
  goal: u32,
  /// How far it, and what was removed around it, would stand off what replaces it, as a share of the tolerance; how far sampled points of
  /// that may stand off the zero set.
  off: f32,
  limit: f32,
  /// How far what was removed around it may stand off its triangles by now, as a share of the tolerance.
  drift: f32,
  isInner: u32,
  /// It has not been looked at as it is.
  isDirty: u32,
}
