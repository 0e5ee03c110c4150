// The third kernel of the table, after a scan of isOwner: the owners' keys get their numbers.

@group(0) @binding(0) var<uniform> range: KeyRange;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> requestKeys: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> isOwner: array<u32>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read> sums: array<u32>;
@group(0) @binding(6) var<storage, read_write> knownKeys: array<vec2<u32>>;
@group(0) @binding(7) var<storage, read_write> slots: array<u32>;
@group(0) @binding(8) var<storage, read> slotOf: array<u32>;

fn sealKey(request: u32) {
  if (isOwner[request] == 0u) { return; }
  let number = counts[range.base] + sumBefore(request);
  if (number >= arrayLength(&knownKeys)) { return; }
  knownKeys[number] = requestKeys[request];
  slots[slotOf[request]] = 0x80000000u | number;
}
