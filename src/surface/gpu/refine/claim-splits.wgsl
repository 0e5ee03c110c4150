// Numbers the edges to divide.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> offEdges: array<u32>;
@group(0) @binding(3) var<storage, read> triangles: array<Triangle>;
/// Both half-edges of every edge to divide.
@group(0) @binding(4) var<storage, read_write> splitEdges: array<vec2<u32>>;
/// Of every half-edge the number of its division + 1, or 0.
@group(0) @binding(5) var<storage, read_write> splitIds: array<u32>;
@group(0) @binding(6) var<storage, read_write> marks: array<u32>;

fn claimSplit(item: u32) {
  let h = offEdges[listed[item]];
  let twin = twinOf(h);
  splitEdges[item] = vec2<u32>(h, twin);
  splitIds[h] = item + 1u;
  if (twin != NONE) { splitIds[twin] = item + 1u; }
  marks[h] = 0u;
}
