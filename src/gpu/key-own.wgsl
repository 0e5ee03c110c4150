// The second kernel of the table: 1 for every request whose key has no number and that is the least one with it.

@group(0) @binding(0) var<uniform> range: KeyRange;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read> slotOf: array<u32>;
@group(0) @binding(4) var<storage, read_write> isOwner: array<u32>;

fn ownKey(request: u32) {
  let slot = slotOf[request];
  isOwner[request] = select(0u, 1u, slot != 0xffffffffu && slots[slot] == request + 1u);
}
