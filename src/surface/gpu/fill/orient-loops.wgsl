// The leaf of each loop: where it is, the tolerance there, and the direction in which f increases in it, zero where none was
// found: seen along that the surface has one sheet, and a loop is a simple polygon.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<uniform> detail: Detail;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> rects: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> nodes: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> nodeBounds: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> roots: array<Root>;
@group(0) @binding(7) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> tolerances: array<f32>;
@group(0) @binding(9) var<storage, read_write> loops: array<Loop>;

fn orientLoop(item: u32) {
  let beside = loops[item].beside;
  let rect = rects[beside & 0x3fffffffu];
  let leaf = select(rect.x, rect.y, (beside >> 31u) == 1u);
  let node = nodes[leaf];
  let low = points[roots[node.x].corners[0]].xyz;
  let step = (points[roots[node.x].corners[7]].xyz - low) / f32(1u << fine.subBits);
  let begin = nodeBegin(node);
  loops[item].low = low + step * vec3<f32>(begin);
  loops[item].high = low + step * vec3<f32>(begin + nodeExtent(node, fine.subBits));
  loops[item].normal = nodeBounds[leaf].xyz;
  loops[item].tolerance = toleranceIn(loops[item].low, loops[item].high);
}
