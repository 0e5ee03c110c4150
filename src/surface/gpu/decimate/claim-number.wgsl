/// A vertex's number in the contest of this pass: no two are alike.
fn claimOf(id: u32) -> u32 { return (id + thinning.contest * 0x51ed270bu) * 0x9e3779b1u; }
