// The second pass: the rectangles themselves. Corners of whole faces are the root's; of the others two corners' keys are
// kept, until all have their numbers (request-rects.wgsl).

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> nodes: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> roots: array<Root>;
@group(0) @binding(4) var<storage, read> rootsAt: array<u32>;
@group(0) @binding(5) var<storage, read> offsets: array<u32>;
@group(0) @binding(6) var<storage, read> sums: array<u32>;
/// Leaf below, leaf above, axis, 1 where the corners are keys yet.
@group(0) @binding(7) var<storage, read_write> rects: array<vec4<u32>>;
@group(0) @binding(8) var<storage, read_write> rectCorners: array<vec4<u32>>;

var<private> place: u32;

fn foundRect(id: u32, root: u32, axis: u32, plane: u32, lo: vec3<u32>, hi: vec3<u32>, other: u32, isAbove: bool) {
  if (place >= arrayLength(&rects)) { return; }
  let u = (axis + 1u) % 3u;
  let v = (axis + 2u) % 3u;
  let side = 1u << fine.subBits;
  let isWhole = (plane & (side - 1u)) == 0u && hi[u] - lo[u] == side && hi[v] - lo[v] == side;
  rects[place] = vec4<u32>(select(other, id, isAbove), select(id, other, isAbove), axis, select(1u, 0u, isWhole));
  if (isWhole) {
    let c = select(0u, 1u << axis, plane == side);
    rectCorners[place] = vec4<u32>(
      roots[root].corners[c],
      roots[root].corners[c | (1u << u)],
      roots[root].corners[c | (1u << v)],
      roots[root].corners[c | (1u << u) | (1u << v)],
    );
  } else {
    let origin = roots[root].box << vec3<u32>(fine.subBits);
    var low = origin + lo;
    var high = origin + hi;
    low[axis] = origin[axis] + plane;
    high[axis] = low[axis];
    rectCorners[place] = vec4<u32>(keyOf(low), keyOf(high));
  }
  place++;
}

fn emitRects(id: u32) {
  place = sumBefore(id);
  visitSides(id);
}
