// The first pass over the rectangles: how many each leaf finds. Also counts the leaves that did not settle.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read> nodes: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> roots: array<Root>;
@group(0) @binding(4) var<storage, read> rootsAt: array<u32>;
@group(0) @binding(5) var<storage, read_write> nRects: array<u32>;

var<private> nFound: u32;

fn foundRect(id: u32, root: u32, axis: u32, plane: u32, lo: vec3<u32>, hi: vec3<u32>, other: u32, isAbove: bool) {
  nFound++;
}

fn countRects(id: u32) {
  if (nodeState(nodes[id]) == NODE_UNSETTLED) { atomicAdd(&counts[N_UNSETTLED], 1u); }
  nFound = 0u;
  visitSides(id);
  nRects[id] = nFound;
}
