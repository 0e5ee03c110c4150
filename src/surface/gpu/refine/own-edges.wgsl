// 1 for every sample that is the first one to want its edge divided.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> marks: array<u32>;
@group(0) @binding(2) var<storage, read> offEdges: array<u32>;
@group(0) @binding(3) var<storage, read_write> isOwner: array<u32>;

fn ownEdge(item: u32) {
  let edge = offEdges[item];
  isOwner[item] = select(0u, 1u, edge != NONE && marks[min(edge, arrayLength(&marks) - 1u)] == ~item);
}
