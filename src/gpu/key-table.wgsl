// Numbers equal keys alike: a hash table with open addressing whose slots are claimed by atomics, and whose numbers do
// not depend on who was first. A slot holds the least request with its key until the key has a number, which is then
// what it holds, with SEALED set. Numbers go by the order of those least requests.
//
// Bound by whoever includes it: slots (atomic u32), requestKeys and knownKeys (vec2<u32>).

const EMPTY = 0u;
const SEALED = 0x80000000u;
const NOT_FOUND = 0xffffffffu;
/// Slots that are looked at. Half of the table is empty, unless there are more keys than it has room for: then their number
/// says so, and the search must not take for ever.
const MAX_PROBES = 1024u;

/// A power of two; the buffer may be larger.
fn slotCount() -> u32 { return 1u << firstLeadingBit(arrayLength(&slots)); }

fn firstSlot(key: vec2<u32>) -> u32 {
  var h = (key.x * 0x9e3779b1u) ^ (key.y * 0x85ebca77u);
  h ^= h >> 15u;
  h *= 0x2c1b3c6du;
  h ^= h >> 12u;
  h *= 0x297a2d39u;
  h ^= h >> 15u;
  return h & (slotCount() - 1u);
}
