/// Returns a number and its noun: `1 host`, `2 hosts`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{many}")
}
