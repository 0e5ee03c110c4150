// The first kernel of the table: every request finds or claims the slot of its key.

@group(0) @binding(0) var<uniform> range: KeyRange;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> requestKeys: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> knownKeys: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> slots: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> slotOf: array<u32>;

fn insertKey(request: u32) {
  let key = requestKeys[request];
  let nSlots = slotCount();
  var slot = firstSlot(key);
  for (var step = 0u; step < MAX_PROBES; step++) {
    let held = atomicLoad(&slots[slot]);
    if (held == EMPTY) {
      if (atomicCompareExchangeWeak(&slots[slot], EMPTY, request + 1u).exchanged) {
        slotOf[request] = slot;
        return;
      }
      continue;
    }
    if ((held & SEALED) != 0u) {
      if (all(knownKeys[held & ~SEALED] == key)) {
        slotOf[request] = slot;
        return;
      }
    } else if (all(requestKeys[held - 1u] == key)) {
      atomicMin(&slots[slot], request + 1u);
      slotOf[request] = slot;
      return;
    }
    slot = (slot + 1u) & (nSlots - 1u);
  }
  slotOf[request] = NOT_FOUND;
}
