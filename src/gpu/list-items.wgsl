// The items of whose word a bit of the mask is set, in their order.

@group(0) @binding(0) var<uniform> list: ListParams;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> words: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> sums: array<u32>;
@group(0) @binding(5) var<storage, read_write> listed: array<u32>;

fn listItem(item: u32) {
  if ((words[item] & list.mask) != 0u && sumBefore(item) < arrayLength(&listed)) { listed[sumBefore(item)] = item; }
}
