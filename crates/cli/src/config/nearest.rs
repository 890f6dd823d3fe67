/// Returns the name that a word was probably meant to be: one that differs in at most a third of the word's letters, or
/// one that begins with the word.
pub(super) fn nearest<'a>(names: impl IntoIterator<Item = &'a str>, word: &str) -> Option<&'a str> {
    let names: Vec<&str> = names.into_iter().collect();
    let close = names.iter().map(|name| (strsim::osa_distance(name, word), *name));
    let close = close.filter(|(edits, _)| *edits <= word.chars().count() / 3).min();
    let longer = || names.into_iter().filter(|name| word.chars().count() > 1 && name.starts_with(word)).min();
    close.map(|(_, name)| name).or_else(longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_third_of_the_letters_differ() {
        let nearest = |word| nearest(["pool", "status", "completions", "man"], word);
        for (word, name) in [("pol", "pool"), ("statsu", "status"), ("statue", "status"), ("comp", "completions")] {
            assert_eq!(nearest(word), Some(name), "{word}");
        }
        for word in ["", "m", "FOO", "tools", "stop"] {
            assert_eq!(nearest(word), None, "{word}");
        }
    }
}
