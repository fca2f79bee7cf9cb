//! Texts of mails: compiled in, or from a folder of the operator.

use std::path::Path;

use crate::service::mail::Template;

/// The subject stands in the first line, after this.
const SUBJECT: &str = "Subject: ";

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) subject: String,
    pub(super) body: String,
}

/// The text of each template.
#[derive(Debug, Clone)]
pub(super) struct Texts(Vec<(Template, Text)>);

const fn builtin(template: Template) -> &'static str {
    match template {
        Template::FuseTripped => include_str!("templates/fuse-tripped.txt"),
        Template::Invitation => include_str!("templates/invitation.txt"),
        Template::LogStopped => include_str!("templates/log-stopped.txt"),
        Template::ReceiverPaused => include_str!("templates/receiver-paused.txt"),
        Template::RunLate => include_str!("templates/run-late.txt"),
        Template::ScheduleFailed => include_str!("templates/schedule-failed.txt"),
    }
}

impl Texts {
    /// Those of the folder, and the ones compiled in where it has none.
    ///
    /// # Errors
    /// A file that cannot be read, or does not begin with a subject.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, String> {
        let read = |template: Template| {
            let file = folder.map(|folder| folder.join(template.as_str()).with_extension("txt"));
            let text = match file.filter(|file| file.exists()) {
                Some(file) => std::fs::read_to_string(&file).map_err(|fault| format!("{}: {fault}", file.display()))?,
                None => builtin(template).to_owned(),
            };
            let parsed = parse(&text);
            let parsed = parsed.ok_or_else(|| format!("{}.txt does not begin with `{SUBJECT}`", template.as_str()))?;
            Ok((template, parsed))
        };
        Template::ALL.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// What a mail of this template says with these words.
    pub(super) fn fill(&self, template: Template, words: &[(String, String)]) -> Option<Text> {
        let (_, text) = self.0.iter().find(|(one, _)| *one == template)?;
        Some(Text {
            subject: filled(&text.subject, words),
            body: filled(&text.body, words),
        })
    }
}

fn parse(text: &str) -> Option<Text> {
    let (first, body) = text.split_once('\n')?;
    Some(Text {
        subject: first.strip_prefix(SUBJECT)?.trim().to_owned(),
        body: body.trim_start_matches(['\r', '\n']).to_owned(),
    })
}

/// Replaces `{{word}}` in one go, so that a value is never read again. Control characters go: a value is a word, not a line.
fn filled(text: &str, words: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| word == name.trim()) {
            out.extend(value.chars().filter(|character| !character.is_control()));
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_once_and_stay_in_their_line() {
        let words = [
            ("a".to_owned(), "x{{b}}\r\ny".to_owned()),
            ("b".to_owned(), "secret".to_owned()),
        ];
        assert_eq!(filled("{{a}} {{ b }} {{c}}{{", &words), "x{{b}}y secret {{");
    }

    #[test]
    fn every_template_has_a_text_and_a_folder_overrides_it() {
        let folder = tempfile::tempdir().unwrap();
        let builtin = Texts::load(Some(folder.path())).unwrap();
        for template in Template::ALL {
            let text = builtin.fill(template, &[]).unwrap();
            assert!(!text.subject.is_empty() && !text.body.is_empty());
        }
        let file = folder.path().join("fuse-tripped.txt");
        std::fs::write(&file, "Subject: Look at {{hold}}\n\nNow.\n").unwrap();
        let own = Texts::load(Some(folder.path())).unwrap();
        let words = [("hold".to_owned(), "7".to_owned())];
        let text = own.fill(Template::FuseTripped, &words).unwrap();
        assert_eq!((text.subject.as_str(), text.body.as_str()), ("Look at 7", "Now.\n"));
        std::fs::write(&file, "Now.\n").unwrap();
        assert!(
            Texts::load(Some(folder.path()))
                .unwrap_err()
                .contains("fuse-tripped.txt")
        );
    }
}
