/// Virtual time begins here: 2027, in milliseconds since the Unix epoch.
pub const EPOCH_MS: u64 = 1_800_000_000_000;
