//! Reading the sources: what a file imports, told apart from what its comments and texts only mention.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file under `src/`.
pub struct Source {
    /// From the repository, with `/`.
    pub path: String,
    pub room: String,
    pub text: String,
    /// Without comments and without what stands in literals.
    pub code: String,
}

impl Source {
    /// Rooms that it names, its own included.
    pub fn imports(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let root = if self.room == "main" { "muster::" } else { "crate::" };
        for (at, _) in self.code.match_indices(root) {
            let before = self.code[..at].chars().next_back();
            if before.is_none_or(|c| !is_word(c)) {
                found.extend(heads(&self.code[at + root.len()..]));
            }
        }
        // `crate::Thing` or `crate::some_macro!` is no room.
        let src = repository().join("src");
        found.retain(|name| src.join(name).is_dir() || src.join(format!("{name}.rs")).is_file());
        found
    }

    /// Whether a chain of `super::` reaches the root of the crate.
    pub fn leaves_by_super(&self) -> bool {
        let path = self
            .path
            .trim_start_matches("src/")
            .trim_end_matches(".rs")
            .trim_end_matches("/mod");
        let depth = path.split('/').count() + usize::from(self.code.contains("mod tests {"));
        self.code.contains(&"super::".repeat(depth))
    }

    pub fn names_crate(&self, name: &str) -> bool {
        names_crate(&self.code, name)
    }

    /// Lines before the tests at the foot that may panic and do not say why they never do.
    pub fn unwraps(&self) -> Vec<usize> {
        let lines: Vec<&str> = self
            .text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]")
            .collect();
        let panics = |line: &str| {
            let line = line.trim();
            !line.starts_with("//") && (line.contains(".unwrap()") || line.contains(".expect(\""))
        };
        let excused = |at: usize| {
            lines[at.saturating_sub(20)..=at]
                .iter()
                .any(|line| line.contains("INVARIANT:"))
        };
        (0..lines.len())
            .filter(|&at| panics(lines[at]) && !excused(at))
            .map(|at| at + 1)
            .collect()
    }
}

/// First words of what follows `crate::`: of one path, or of each path of a group in braces.
pub fn heads(rest: &str) -> Vec<String> {
    let word = |text: &str| {
        text.trim_start()
            .chars()
            .take_while(|c| is_word(*c))
            .collect::<String>()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![word(rest)];
    };
    let (mut depth, mut found, mut start) = (0_usize, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(word(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether code names something of an outside crate.
pub fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let begins = before.chars().next_back().is_none_or(|c| !is_word(c) && c != ':');
        let imported = before.trim_end().ends_with("use") || before.trim_end().ends_with("extern crate");
        begins && (after.starts_with("::") || (imported && after.starts_with([';', ' '])))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub fn sources() -> Vec<Source> {
    let read = |path: String| {
        let text = fs::read_to_string(repository().join(&path)).unwrap();
        let room = path
            .trim_start_matches("src/")
            .split('/')
            .next()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        Source {
            code: code_of(&text),
            path,
            room,
            text,
        }
    };
    let sources: Vec<_> = rust_files(&["src"])
        .into_iter()
        .filter(|path| path != "src/lib.rs")
        .map(read)
        .collect();
    assert!(!sources.is_empty(), "no sources found");
    sources
}

/// Rust files of these folders, as paths from the repository.
pub fn rust_files(folders: &[&str]) -> Vec<String> {
    let files = folders.iter().flat_map(|folder| walk(&repository().join(folder)));
    let relative = |path: PathBuf| {
        path.strip_prefix(repository())
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/")
    };
    files
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(relative)
        .collect()
}

pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let ours = |path: &PathBuf| path.file_name().is_none_or(|name| name != "target");
    let open = |path: PathBuf| {
        if path.is_dir() { walk(&path) } else { vec![path] }
    };
    paths.into_iter().filter(ours).flat_map(open).collect()
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text without comments, and with literals emptied.
pub fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let previous = code.chars().next_back();
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if previous.is_none_or(|c| !is_word(c)) && raw_text(rest).is_some() {
            raw_text(rest).unwrap_or(rest.len())
        } else if c == '"' {
            quoted(rest, '"')
        } else if c == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            0
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.push_str(if c == '/' { "" } else { "\"\"" });
            rest = &rest[skipped..];
        }
    }
    code
}

/// Length of a raw text that begins here, such as `r#"…"#`.
fn raw_text(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let body = inner[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close)? + close.len();
    Some(rest.len() - body.len() + end)
}

/// Length of a literal that begins and ends with this quote, with backslash escapes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character literal rather than a lifetime.
fn is_character(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}
