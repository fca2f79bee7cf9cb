//! Reports: nothing of what a server says is markup in them, and no token is shown.

use axum::response::IntoResponse as _;
use muster::selftest::report::{Verdict, html, json, junit, terminal};
use muster::selftest::{Book, Choice, Range, run};
use serde_json::{Value, json as object};

use super::tiny::{FIXTURES, TOKEN, Tiny, requirement, scim, target};

const EVIL: &str = "</pre><script>alert(1)</script>]]><!-- \u{1b}[2J\u{0} \" onload='x'";

#[tokio::test]
async fn what_a_server_says_is_text_in_every_report() {
    let evil = Tiny::wrong(|asked| {
        let body = object!({"detail": EVIL, "echo": asked.headers.get("authorization").map(|v| v.to_str().unwrap())});
        (asked.path == "/Users").then(|| {
            (
                axum::http::StatusCode::IM_A_TEAPOT,
                [("etag", "\"<b>\"")],
                body.to_string(),
            )
                .into_response()
        })
    });
    let check = "steps = [{ send = \"GET /Users?access_token=${token}\", status = 200 }]";
    let report = evil.judged(&requirement(check)).await;
    assert_eq!(report.tally.must_failed, 1);
    let page = html(&report);
    let (before, rest) = page.split_once("<script>").unwrap();
    assert!(
        !before.contains("alert(1)</script>") && before.contains("&lt;script&gt;alert(1)"),
        "{before}"
    );
    assert_eq!(rest.matches("<script").count(), 0);
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    let suites = junit(&report);
    assert!(
        !suites.contains("]]>") && suites.contains("]]&gt;") && !suites.contains('\u{1b}'),
        "{suites}"
    );
    assert!(suites.contains("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\""));
    assert!(suites.contains("<failure type=\"must\" message=\"it does not work (RFC 0 §1)\">"));
    let text = terminal(&report, true);
    assert!(
        text.starts_with("FAILED  TST-01  must    RFC 0 §1\n  it does not work\n"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}') && !text.contains('\u{0}'));
    let data = json(&report);
    let parsed: Value = serde_json::from_str(&data).unwrap();
    assert_eq!(parsed["requirements"][0]["checks"][0]["result"], "failed");
    assert_eq!(parsed["tally"]["must_failed"], 1);
    for form in [page, suites, text, data] {
        assert!(!form.contains(TOKEN) && form.contains("[token]"), "{form}");
    }
}

#[tokio::test]
async fn a_level_decides_what_a_finding_is() {
    let tiny = Tiny::good();
    let at = |level: &str| {
        requirement(&format!(
            "level = \"{level}\"\nsteps = [{{ send = \"GET /Users\", status = 500 }}]"
        ))
    };
    for (level, result) in [
        ("must", Verdict::Failed),
        ("should", Verdict::Failed),
        ("may", Verdict::Noted),
        ("tol", Verdict::Noted),
    ] {
        let report = tiny.judged(&at(level)).await;
        assert_eq!(report.requirements[0].result, result, "{level}");
        assert_eq!(report.tally.must_failed, usize::from(level == "must"), "{level}");
    }
    let book = Book::read(&[("fixtures.toml", FIXTURES), ("test.toml", &at("tol"))]).unwrap();
    let mut strict = target(tiny.serve().await);
    strict.strict = true;
    let report = run(&book, strict, &Choice::default(), std::future::pending(), |_| {})
        .await
        .unwrap();
    assert_eq!(report.tally.must_failed, 1);
    let light = Choice {
        range: Range::May,
        ..Choice::default()
    };
    let report = run(
        &book,
        target(tiny.serve().await),
        &light,
        std::future::pending(),
        |_| {},
    )
    .await
    .unwrap();
    assert_eq!(report.tally.requirements, 0);
}

#[tokio::test]
async fn what_was_made_is_deleted_and_what_stays_is_told() {
    let sticky = Tiny::wrong(|asked| (asked.method == "DELETE").then(|| scim(403, object!({}))));
    let report = sticky.judged(&requirement("steps = [{ create = \"user\" }]")).await;
    assert_eq!(report.left.len(), 1);
    assert!(terminal(&report, false).contains(&format!("could not be deleted: {}", report.left[0])));
    let tiny = Tiny::good();
    let book = Book::read(&[
        ("fixtures.toml", FIXTURES),
        (
            "test.toml",
            &requirement("steps = [{ create = \"user\" }, { pause = 60 }]"),
        ),
    ])
    .unwrap();
    let url = tiny.serve().await;
    let watched = tiny.clone();
    let stop = async move {
        while watched.users() == 0 {
            tokio::task::yield_now().await;
        }
    };
    let fault = run(&book, target(url), &Choice::default(), stop, |_| {})
        .await
        .unwrap_err()
        .to_string();
    assert!(fault.contains("interrupted"), "{fault}");
    assert_eq!(tiny.users(), 0);
}
