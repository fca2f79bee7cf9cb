//! What was asked and what was answered.

use serde_json::Value;

/// One exchange. The Authorization header is never part of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchange {
    pub method: String,
    /// The request target.
    pub path: String,
    pub sent: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    /// The answer as JSON; null if it is none.
    pub json: Value,
}

impl Exchange {
    /// A JSON value in the place of an answer, so that facts can be asked of it; `seen` is where it was shown.
    pub fn of(value: &Value, seen: Option<&Self>) -> Self {
        Self {
            method: seen.map(|seen| seen.method.clone()).unwrap_or_default(),
            path: seen.map(|seen| seen.path.clone()).unwrap_or_default(),
            sent: seen.map(|seen| seen.sent.clone()).unwrap_or_default(),
            status: 200,
            headers: Vec::new(),
            text: value.to_string(),
            json: value.clone(),
        }
    }

    /// The values of a header, in the order of the answer.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// A member of the JSON object that was answered.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.json.get(name)
    }

    /// `Location`, else `meta.location`.
    pub fn location(&self) -> Option<&str> {
        let meta = || self.json.pointer("/meta/location").and_then(Value::as_str);
        self.header("Location").next().or_else(meta)
    }

    /// The resources of a list.
    pub fn resources(&self) -> &[Value] {
        let rows = self.member("Resources").and_then(Value::as_array);
        rows.map(Vec::as_slice).unwrap_or_default()
    }

    /// About how many bytes it takes in memory.
    pub fn weight(&self) -> usize {
        // The text twice: once more as values.
        self.sent.len() + 3 * self.text.len() + 512
    }
}

/// The beginning of a text.
pub(super) fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}
