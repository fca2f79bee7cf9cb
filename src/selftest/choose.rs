//! Which requirements are run.

use super::data::Book;
use super::requirement::{Level, Requirement};

/// Up to which weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// MUST alone.
    Must,
    /// MUST and SHOULD.
    Should,
    /// Those, and what a server is free to do.
    May,
    /// Those, and what is our reading or a matter of strictness.
    #[default]
    All,
}

impl Range {
    pub(super) fn holds(self, level: Level) -> bool {
        match self {
            Self::Must => level <= Level::Must,
            Self::Should => level <= Level::Should,
            Self::May => level <= Level::May,
            Self::All => true,
        }
    }
}

/// Some of the requirements.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Ids (`PAT-04`), groups (`PAT`) or patterns (`PAT-0*`), in any letter case; none of them is all.
    pub only: Vec<String>,
    /// How much a check has to weigh.
    pub range: Range,
}

/// A word that chooses nothing.
#[derive(Debug, thiserror::Error)]
#[error("`{word}` is no requirement; the groups are {groups}")]
pub struct NoSuch {
    word: String,
    groups: String,
}

impl Choice {
    /// Whether each word chooses something.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self, book: &Book) -> Result<(), NoSuch> {
        let chosen = |word: &&String| book.all().any(|(_, one)| fits(word, &one.id));
        match self.only.iter().find(|word| !chosen(word)) {
            None => Ok(()),
            Some(word) => Err(NoSuch {
                word: word.clone(),
                groups: groups(book).join(", "),
            }),
        }
    }

    /// Whether a requirement is chosen; its checks may still be too light.
    #[must_use]
    pub fn takes(&self, one: &Requirement) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|word| fits(word, &one.id));
        let heavy = one
            .checks
            .iter()
            .any(|check| self.range.holds(check.level.unwrap_or(one.level)));
        named && (heavy || (one.checks.is_empty() && self.range.holds(one.level)))
    }
}

/// The beginnings of ids, each once.
fn groups(book: &Book) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for (_, one) in book.all() {
        let group = one.id.split('-').next().unwrap_or(&one.id);
        if !groups.iter().any(|other| other == group) {
            groups.push(group.to_owned());
        }
    }
    groups
}

/// `PAT-04`, `pat`, `PAT-0*`, `*-01`.
fn fits(word: &str, id: &str) -> bool {
    let (word, id) = (word.trim().to_ascii_uppercase(), id.to_ascii_uppercase());
    if word.contains(['*', '?']) {
        return glob(word.as_bytes(), id.as_bytes());
    }
    id == word || id.split('-').next() == Some(&word)
}

/// `*` is any text, `?` any character. Goes back to the last `*` only, so that no pattern takes long.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut back) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, from)) = back else { return false };
                back = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_groups_and_patterns_choose() {
        for word in ["PAT-04", "pat-04", "PAT", "PAT-0*", "*-04", "P?T-04", "*"] {
            assert!(fits(word, "PAT-04"), "{word}");
        }
        for word in ["PAT-0", "PA", "PATH", "*-05", "?-04", "", "PAT-04x"] {
            assert!(!fits(word, "PAT-04"), "{word}");
        }
    }

    #[test]
    fn a_word_that_chooses_nothing_is_told_with_the_groups() {
        let book = Book::embedded().unwrap();
        let choice = |word: &str| Choice {
            only: vec![word.to_owned()],
            ..Choice::default()
        };
        assert!(choice("PAT").check(&book).is_ok());
        let fault = choice("XYZ").check(&book).unwrap_err().to_string();
        assert!(
            fault.contains("`XYZ`") && fault.contains("DIS") && fault.contains("PAT"),
            "{fault}"
        );
    }
}
