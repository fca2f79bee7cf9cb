//! The challenges of `WWW-Authenticate`: several may stand in one line, and each has parameters of its own.

/// The parameters of each challenge of a scheme, in the order of the answer, as the server wrote them.
pub(super) fn of_scheme<'h>(lines: impl Iterator<Item = &'h str>, scheme: &str) -> Vec<String> {
    lines
        .flat_map(challenges)
        .filter(|(name, _)| name.eq_ignore_ascii_case(scheme))
        .map(|(_, parameters)| parameters.join(", "))
        .collect()
}

/// Scheme and parameters of each challenge of a line (RFC 9110 §11.6.1).
fn challenges(line: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for part in elements(line) {
        let (word, rest) = part.split_once([' ', '\t']).unwrap_or((part, ""));
        let rest = rest.trim_start();
        // `realm = "x"` goes on with the challenge; `Basic realm="x"` and `Negotiate` begin one.
        let goes_on = word.contains('=') || rest.starts_with('=');
        match found.last_mut() {
            Some((_, parameters)) if goes_on => parameters.push(part),
            _ if goes_on => {}
            _ => found.push((word, Vec::from_iter(Some(rest).filter(|rest| !rest.is_empty())))),
        }
    }
    found
}

/// The elements of a list with commas; a comma inside quotes is text.
fn elements(line: &str) -> Vec<&str> {
    let (mut found, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                found.push(&line[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&line[from..]);
    found
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_challenge_has_its_own_parameters_in_one_line_or_several() {
        let bearer = |lines: &[&str]| of_scheme(lines.iter().copied(), "bearer");
        assert_eq!(bearer(&["Basic realm=\"x\"", "Bearer realm=\"x\""]), ["realm=\"x\""]);
        assert_eq!(
            bearer(&["Basic realm=\"x\", Bearer realm=\"a, b\", error=\"invalid_token\", Negotiate"]),
            ["realm=\"a, b\", error=\"invalid_token\""]
        );
        assert_eq!(
            bearer(&["BEARER realm = \"a \\\" b\" , scope=\"c\""]),
            ["realm = \"a \\\" b\", scope=\"c\""]
        );
        assert_eq!(bearer(&["Bearer"]), [""]);
        assert_eq!(bearer(&["Negotiate abc==, Bearer realm=x"]), ["realm=x"]);
        assert_eq!(
            bearer(&["Basic realm=\"Bearer realm=x\"", "", ","]),
            Vec::<String>::new()
        );
    }
}
