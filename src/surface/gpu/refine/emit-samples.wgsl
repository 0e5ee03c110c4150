// Lists the samples: triangle, and place in the pattern in the five highest bits.

@group(0) @binding(0) var<uniform> round: Round;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> listed: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> sums: array<u32>;
@group(0) @binding(5) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(6) var<storage, read_write> samples: array<u32>;

fn emitSamples(item: u32) {
  let id = activeTriangle(item);
  if (id == NONE) { return; }
  var at = sumBefore(item);
  let fresh = triangles[id].fresh;
  var chosen = fresh >> CHOSEN;
  triangles[id].fresh = fresh & ALL_FRESH;
  while (chosen != 0u) {
    let k = firstTrailingBit(chosen);
    chosen &= chosen - 1u;
    if (at >= arrayLength(&samples)) { return; }
    samples[at] = id | (k << 27u);
    at++;
  }
}
