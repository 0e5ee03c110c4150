/// The triangles to look at: all in the first round and where all are wanted, else those that the round before made.
fn activeTriangle(item: u32) -> u32 { return select(listed[item], item, round.isAll != 0u); }
