// The last kernel of the table: every request learns its key's number, which takes the slot's place.

@group(0) @binding(0) var<uniform> range: KeyRange;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read_write> slotOf: array<u32>;

fn resolveKey(request: u32) {
  let slot = slotOf[request];
  slotOf[request] = select(slots[min(slot, arrayLength(&slots) - 1u)] & 0x7fffffffu, 0u, slot == 0xffffffffu);
}
