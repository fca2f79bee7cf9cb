//! The known name nearest to a mistyped one, for messages.

/// A misspelling that is further away than this many letters is more likely another word.
const FARTHEST: usize = 3;

/// The known name that looks most like the text, in any letter case; none where all are too different.
///
/// Of names that are equally near the first one is taken.
#[must_use]
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_of(text, known.into_iter().map(|name| (name, name)))
}

/// The same for things that are known by a name.
#[must_use]
pub fn nearest_of<'a, T>(text: &str, known: impl IntoIterator<Item = (&'a str, T)>) -> Option<T> {
    let wanted: Vec<char> = text.to_lowercase().chars().collect();
    let allowed = wanted.len().div_ceil(4).min(FARTHEST);
    let measured = known.into_iter().map(|(name, thing)| {
        let other: Vec<char> = name.to_lowercase().chars().collect();
        (distance(&wanted, &other), thing)
    });
    measured
        .filter(|(far, _)| *far <= allowed)
        .min_by_key(|(far, _)| *far)
        .map(|(_, thing)| thing)
}

/// How many letters must be added, dropped, changed or swapped with their neighbour to get from one text to the other.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for row in 1..=one.len() {
        let mut current = vec![row];
        for column in 1..=other.len() {
            let changed = usize::from(one[row - 1] != other[column - 1]);
            let mut best = (last[column] + 1)
                .min(current[column - 1] + 1)
                .min(last[column - 1] + changed);
            let swapped =
                row > 1 && column > 1 && one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1];
            if swapped {
                best = best.min(before[column - 2] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let near = |text| nearest(text, ["Germany", "France", "Deutsche Schweiz", "valid_from", "name"]);
        assert_eq!(near("germayn"), Some("Germany"));
        assert_eq!(near("Deutche Schweiz"), Some("Deutsche Schweiz"));
        assert_eq!(near("validFrom"), Some("valid_from"));
        assert_eq!(near("nmae"), Some("name"));
        assert_eq!(near("Spain"), None);
        assert_eq!(near(""), None);
    }

    #[test]
    fn of_equally_near_names_the_first_is_taken() {
        assert_eq!(nearest_of("nome", [("name", 1), ("node", 2)]), Some(1));
    }
}
