// Counts what is there twice: vertices at one place, edges between the same two vertices. Each finds its slot of a hash table;
// one that finds an equal one there is too many. Which of two is first does not matter.
//
// What it is used by brings keyOfItem, and `slots`: a vertex or a half-edge + 1, or 0.

/// Slots that are looked at; half of the table is empty.
const MAX_PROBES = 1024u;

/// A power of two; the buffer may be larger.
fn slotCount() -> u32 { return 1u << firstLeadingBit(arrayLength(&slots)); }

fn slotOf(key: vec3<u32>) -> u32 {
  var h = (key.x * 0x9e3779b1u) ^ (key.y * 0x85ebca77u) ^ (key.z * 0xc2b2ae3du);
  h ^= h >> 15u;
  h *= 0x2c1b3c6du;
  h ^= h >> 12u;
  h *= 0x297a2d39u;
  h ^= h >> 15u;
  return h & (slotCount() - 1u);
}

fn insert(item: u32, key: vec3<u32>) {
  let nSlots = slotCount();
  var slot = slotOf(key);
  for (var step = 0u; step < MAX_PROBES; step++) {
    let held = atomicLoad(&slots[slot]);
    if (held == 0u) {
      if (atomicCompareExchangeWeak(&slots[slot], 0u, item + 1u).exchanged) { return; }
      continue;
    }
    if (all(keyOfItem(held - 1u) == key)) {
      atomicAdd(&summary[SUMMARY_TWICE], 1u);
      return;
    }
    slot = (slot + 1u) & (nSlots - 1u);
  }
  // Not told: there are more than there is room for.
  atomicAdd(&summary[SUMMARY_TWICE], 1u);
}
