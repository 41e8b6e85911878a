//! How `contains` matches, as Google's Drive does: a text falls into words of letters and digits, and
//! each word that is looked for must begin one of them, ignoring case. It is not a search for substrings.

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether each word of `sought` begins a word of `text`.
pub(super) fn begin_words_of(sought: &str, text: &str) -> bool {
    let have: Vec<String> = words(text).collect();
    words(sought).all(|word| have.iter().any(|known| known.starts_with(&word)))
}

/// Whether `text` has the words of `sought`: each of them whole, or all in a row when `sought` is
/// in double quotes.
pub(super) fn are_in(sought: &str, text: &str) -> bool {
    let have: Vec<String> = words(text).collect();
    let wanted: Vec<String> = words(sought).collect();
    let quoted = sought.len() > 1 && sought.starts_with('"') && sought.ends_with('"');
    if quoted && !wanted.is_empty() {
        return have.windows(wanted.len()).any(|row| row == wanted);
    }
    wanted.iter().all(|word| have.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_matches_the_beginnings_of_words_only() {
        assert!(begin_words_of("Hello", "HelloWorld"));
        assert!(!begin_words_of("World", "HelloWorld"));
        assert!(begin_words_of("inbox", "syft_datasite#0.10.0#do@x.org#inbox#ds@x.org"));
        assert!(begin_words_of("syft_datasite#0.10.0#do", "syft_datasite#0.10.0#do@x.org#inbox#ds@x.org"));
        assert!(!begin_words_of("site", "syft_datasite"));
        assert!(begin_words_of("two ONE", "one_two"));
    }

    #[test]
    fn full_text_matches_whole_words_and_quoted_rows_of_them() {
        assert!(are_in("there", "Hello there world"));
        assert!(!are_in("ther", "Hello there world"));
        assert!(are_in("\"hello there\"", "Hello_there world"));
        assert!(!are_in("\"hello world\"", "Hello there world"));
    }
}
