//! A large body that is refused before all of it has come: no finding, whether the refusal is heard or not.

use muster::selftest::report::Verdict;
use muster::selftest::{Book, Choice, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::tiny::{FIXTURES, requirement, target};

const CHECK: &str = "steps = [{ send = \"POST /Bulk\", raw = '<<3000000 x>>', status = 413 }]";

#[tokio::test]
async fn a_connection_that_is_closed_under_a_large_body_is_no_finding() {
    for (answer, wanted) in [
        (
            "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            None,
        ),
        ("", Some(Verdict::NotSetUp)),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v2", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(cut(stream, answer));
            }
        });
        let book = Book::read(&[("fixtures.toml", FIXTURES), ("test.toml", &requirement(CHECK))]).unwrap();
        let report = run(
            &book,
            target(url.parse().unwrap()),
            &Choice::default(),
            std::future::pending(),
            |_| {},
        )
        .await
        .unwrap();
        let result = report.requirements[0].result;
        assert!(matches!(result, Verdict::Passed | Verdict::NotSetUp), "{report:?}");
        assert!(wanted.is_none_or(|wanted| result == wanted), "{report:?}");
    }
}

/// Answers GET with nothing announced; of a POST the head is read, then it is answered so and the connection closed.
async fn cut(mut stream: TcpStream, answer: &'static str) {
    let mut head = vec![0; 4096];
    let read = stream.read(&mut head).await.unwrap_or_default();
    let answer = if head[..read].starts_with(b"POST") {
        answer
    } else {
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    };
    drop(stream.write_all(answer.as_bytes()).await);
}
