//! The nearest of some known words, for "did you mean".

/// The known word that is nearest to `text`, if one is near enough to be what was meant.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = text.to_lowercase();
    if lower.len() > 100 {
        return None;
    }
    known
        .into_iter()
        .map(|word| (distance(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The hint of an unknown word: the nearest known one, or all of them when they are few.
pub fn hint<'a>(text: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(word) = nearest(text, known.clone()) {
        return Some(format!("Did you mean `{word}`?"));
    }
    listed(known)
}

/// The hint of an unknown word that is near to none: all known ones when they are few.
pub fn listed<'a>(known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let words: Vec<String> = known.into_iter().map(|word| format!("`{word}`")).collect();
    match words.len() {
        0 => None,
        1..=24 => Some(format!("Known here: {}", words.join(", "))),
        _ => None,
    }
}

/// The number of letters to insert, remove, replace or swap with their neighbour (optimal
/// string alignment).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut current = vec![row];
        for column in 1..=right.len() {
            let replaced = above[column - 1] + usize::from(left[row - 1] != right[column - 1]);
            let shifted = above[column].min(current[column - 1]) + 1;
            let swapped = (row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1])
                .then(|| before[column - 2] + 1);
            current.push(replaced.min(shifted).min(swapped.unwrap_or(usize::MAX)));
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_by_edits() {
        assert_eq!(
            nearest("resoruces", ["resources", "registry"]),
            Some("resources")
        );
        assert_eq!(nearest("Name", ["name"]), Some("name"));
        assert_eq!(nearest("colour", ["name", "owner"]), None);
        assert_eq!(nearest("ab", ["ba"]), Some("ba"));
    }

    #[test]
    fn few_words_are_listed_when_none_is_near() {
        assert_eq!(
            hint("x", ["one", "two"]),
            Some("Known here: `one`, `two`".to_owned())
        );
    }
}
