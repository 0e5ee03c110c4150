fn twinOf(h: u32) -> u32 { return triangles[h / 3u].twins[h % 3u]; }
fn originOf(h: u32) -> u32 { return triangles[h / 3u].corners[h % 3u]; }
fn targetOf(h: u32) -> u32 { return triangles[h / 3u].corners[after(h % 3u)]; }
