// Exclusive prefix sums, or a list, of few values by one workgroup: what scan.wgsl, list-items.wgsl and item-count.wgsl
// do in four dispatches. Where values are few a dispatch costs more than its work.
//
// The text of struct ScanParams and the constants stand before this one (scan.ts).

@group(0) @binding(0) var<uniform> params: ScanParams;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<u32>;
/// The sums before the values; of a list the items.
@group(0) @binding(3) var<storage, read_write> result: array<u32>;
/// Arguments for dispatches over as many items as the sum says.
@group(0) @binding(4) var<storage, read_write> groups: array<u32>;
/// Of a scan: the sums before blocks of values, which are no more than zeros here.
@group(0) @binding(5) var<storage, read_write> sums: array<u32>;

fn valueAt(i: u32) -> u32 { return min(values[i] & params.mask, params.most); }

@compute @workgroup_size(GROUP)
fn scanSmall(@builtin(local_invocation_index) t: u32) {
  let n = min(min(counts[params.values], params.room), arrayLength(&values));
  let base = counts[params.base];
  let share = (n + GROUP - 1u) / GROUP;
  let first = min(t * share, n);
  let last = min(first + share, n);
  var own = 0u;
  for (var i = first; i < last; i++) { own += valueAt(i); }
  var before = sumBefore(own, t);
  for (var i = first; i < last; i++) {
    let value = valueAt(i);
    if (params.isList == 0u) { result[i] = before; }
    else if (value != 0u && before < arrayLength(&result)) { result[before] = i; }
    before += value;
  }
  for (var i = t; i * BLOCK < n && i < arrayLength(&sums); i += GROUP) { sums[i] = 0u; }
  if (t == GROUP - 1u) {
    counts[params.sum] = before;
    counts[params.to] = base + before;
    if (params.peak != 0u) { counts[params.peak] = max(counts[params.peak], before); }
    let nItems = min(before, params.capacity);
    writeGroups(0u, nItems, GROUP_SIZE, 1u);
    writeGroups(SCAN_GROUPS, max(1u, nItems), SCAN_BLOCK, 1u);
  }
}
