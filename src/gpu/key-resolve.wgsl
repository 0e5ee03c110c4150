// The last kernel of the table, after the scan of owners: every request learns its key's number, which takes the slot's place
// for the next round. Whether the owner has put it there already makes no difference to the others.

@group(0) @binding(0) var<uniform> range: KeyRange;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> requestKeys: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> sums: array<u32>;
@group(0) @binding(5) var<storage, read_write> knownKeys: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> slots: array<atomic<u32>>;
/// Slots before, numbers afterwards.
@group(0) @binding(7) var<storage, read_write> slotOf: array<u32>;

fn resolveKey(request: u32) {
  let slot = slotOf[request];
  if (slot == NOT_FOUND) {
    slotOf[request] = 0u;
    return;
  }
  let held = atomicLoad(&slots[slot]);
  if ((held & SEALED) != 0u) {
    slotOf[request] = held & ~SEALED;
    return;
  }
  let owner = held - 1u;
  let number = counts[range.base] + sumBefore(owner);
  slotOf[request] = number;
  if (owner == request && number < arrayLength(&knownKeys)) {
    knownKeys[number] = requestKeys[request];
    atomicStore(&slots[slot], SEALED | number);
  }
}
