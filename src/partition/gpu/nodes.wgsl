// The forest of bisected boxes, as kernels see it. A node is four words:
//
//   x  its root
//   y  where it begins in its root, 10 bits an axis (units of the fine lattice)
//   z  how often it was bisected along each axis, 4 bits each; then its state (3 bits), then the axis of its bisection
//   w  its first child (the other one follows it)

const NODE_PENDING = 0u;
/// No surface in it.
const NODE_EMPTY = 1u;
/// f increases along a direction: every piece of surface in it is a graph.
const NODE_SETTLED = 2u;
/// The limit of bisections was reached before a direction was found.
const NODE_UNSETTLED = 3u;
const NODE_SPLIT = 4u;
/// No node.
const NONE = 0xffffffffu;

struct Root {
  /// Number of its box along each axis.
  box: vec3<u32>,
  /// Extents in local units.
  size: vec3<f32>,
  corners: array<u32, 8>,
}

/// A node while its tree is made.
struct Cell {
  /// As above; of its first child the number among its group's.
  node: vec4<u32>,
  /// Direction in which f increases, or zero; range of f less the interpolant of its corner values.
  bounds: vec4<f32>,
  /// Of the first of several that were made at a time: where the next ones of their group begin, and how many there are.
  next: vec2<u32>,
}

fn nodeState(node: vec4<u32>) -> u32 { return (node.z >> 12u) & 7u; }
fn nodeAxis(node: vec4<u32>) -> u32 { return (node.z >> 15u) & 3u; }
fn nodeBegin(node: vec4<u32>) -> vec3<u32> {
  return vec3<u32>(node.y, node.y >> 10u, node.y >> 20u) & vec3<u32>(1023u);
}
fn nodeDepth(node: vec4<u32>) -> vec3<u32> {
  return vec3<u32>(node.z, node.z >> 4u, node.z >> 8u) & vec3<u32>(15u);
}
/// Its extents in units of the fine lattice.
fn nodeExtent(node: vec4<u32>, subBits: u32) -> vec3<u32> {
  return vec3<u32>(1u) << (vec3<u32>(subBits) - nodeDepth(node));
}
fn hasSurface(node: vec4<u32>) -> bool {
  return nodeState(node) == NODE_SETTLED || nodeState(node) == NODE_UNSETTLED;
}
