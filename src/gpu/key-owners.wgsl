// What the table scans: 1 for every request whose key has no number and that is the least one with it.

@group(0) @binding(5) var<storage, read> slots: array<u32>;

fn valueAt(request: u32) -> u32 {
  let slot = values[request];
  return select(0u, 1u, slot != NOT_FOUND && slots[min(slot, arrayLength(&slots) - 1u)] == request + 1u);
}
