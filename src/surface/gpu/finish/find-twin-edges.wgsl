@group(0) @binding(4) var<storage, read> triangles: array<Triangle>;

fn keyOfItem(h: u32) -> vec3<u32> {
  let a = originOf(h);
  let b = targetOf(h);
  return vec3<u32>(min(a, b), max(a, b), 0u);
}

fn findTwinEdge(item: u32) {
  for (var k = 0u; k < 3u; k++) {
    let h = 3u * listed[item] + k;
    if (h < twinOf(h)) { insert(h, keyOfItem(h)); }
  }
}
