//! The way out: where it does not go, and what it does not put up with.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use muster::service::delivery::{Failure, Guard, Parcel};
use muster::worker::egress::{Answer, Egress, Lookup, MAX_ANSWER_BYTES, Patience};

use crate::support::receiver::{Receiver, Reply};

const OTHER_LOOPBACK: &str = "127.0.0.2";

/// Only 127.0.0.1 is allowed beside public addresses.
fn guard() -> Guard {
    Guard {
        allow: vec!["127.0.0.1/32".parse().unwrap()],
        http: true,
    }
}

fn parcel(url: &str) -> Parcel {
    Parcel {
        url: url.parse().unwrap(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: "{}".into(),
    }
}

async fn post(url: &str) -> Result<Answer, Failure> {
    Egress::new(guard()).unwrap().post(&parcel(url)).await
}

/// Names resolve to what a test says, differently at each look-up.
fn names(answers: &[&[&str]]) -> Lookup {
    let answers: Vec<Vec<IpAddr>> = answers
        .iter()
        .map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect())
        .collect();
    let asked = AtomicUsize::new(0);
    Arc::new(move |_| {
        let answer = answers[asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)].clone();
        Box::pin(async move { Ok(answer) })
    })
}

fn resolving(lookup: Lookup) -> Egress {
    Egress::resolving(guard(), Patience::default(), lookup).unwrap()
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_nothing_connects_to_where_it_leads() {
    let (receiver, trap) = (Receiver::open().await, Receiver::at(OTHER_LOOPBACK).await);
    for (status, target) in [
        (302, "http://169.254.169.254/latest/meta-data".to_owned()),
        (307, trap.url()),
    ] {
        receiver.answers(move |_| Reply::With(status, "location", target.clone()));
        assert_eq!(post(&receiver.url()).await.unwrap_err(), Failure::Redirect);
    }
    receiver.answers({
        let own = receiver.url();
        move |_| Reply::With(301, "location", own.clone())
    });
    assert_eq!(post(&receiver.url()).await.unwrap_err(), Failure::Redirect);
    assert_eq!((receiver.got().len(), trap.got().len()), (3, 0));
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_before_anything_is_sent() {
    let trap = Receiver::at(OTHER_LOOPBACK).await;
    let port = trap.port();
    for host in [
        "127.0.0.2",
        "127.2",
        "2130706434",
        "[::ffff:127.0.0.2]",
        "[::7f00:2]",
        "[64:ff9b::7f00:2]",
        "169.254.169.254",
        "10.0.0.1",
        "[::1]",
        "[fe80::1]",
    ] {
        let refused = post(&format!("http://{host}:{port}/")).await.unwrap_err();
        assert_eq!(refused, Failure::Address, "{host}");
    }
    assert_eq!(trap.got().len(), 0);
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_resolves_to_each_time() {
    let (receiver, trap) = (Receiver::open().await, Receiver::at(OTHER_LOOPBACK).await);
    let url = |port| format!("http://hooks.example:{port}/");
    let private = resolving(names(&[&[OTHER_LOOPBACK, "10.0.0.1", "::ffff:169.254.169.254"]]));
    assert_eq!(
        private.post(&parcel(&url(trap.port()))).await.unwrap_err(),
        Failure::Address
    );
    let mixed = resolving(names(&[&["10.0.0.1", "127.0.0.1"]]));
    assert_eq!(mixed.post(&parcel(&url(receiver.port()))).await.unwrap().status, 204);
    // The name moves to where nobody may go: the first connection is not kept, so that the second one is made anew.
    receiver.answers(|_| Reply::With(204, "connection", "close".to_owned()));
    let moving = resolving(names(&[&["127.0.0.1"], &[OTHER_LOOPBACK]]));
    assert_eq!(moving.post(&parcel(&url(receiver.port()))).await.unwrap().status, 204);
    assert_eq!(
        moving.post(&parcel(&url(receiver.port()))).await.unwrap_err(),
        Failure::Address
    );
    assert_eq!((receiver.got().len(), trap.got().len()), (2, 0));
}

#[tokio::test]
async fn the_systems_own_names_of_this_machine_are_refused() {
    let guard = Guard {
        allow: Vec::new(),
        http: true,
    };
    let egress = Egress::new(guard).unwrap();
    let receiver = Receiver::open().await;
    let url = format!("http://localhost:{}/", receiver.port());
    assert_eq!(egress.post(&parcel(&url)).await.unwrap_err(), Failure::Address);
    assert_eq!(receiver.got().len(), 0);
}

#[tokio::test]
async fn plain_http_is_refused_unless_it_is_allowed() {
    let receiver = Receiver::open().await;
    let guard = Guard { http: false, ..guard() };
    let egress = Egress::new(guard).unwrap();
    assert_eq!(
        egress.post(&parcel(&receiver.url())).await.unwrap_err(),
        Failure::Address
    );
    assert_eq!(receiver.got().len(), 0);
}

#[tokio::test]
async fn of_an_answer_of_ten_megabytes_only_the_beginning_is_read() {
    let receiver = Receiver::open().await;
    receiver.answers(|_| Reply::Bytes(10 << 20));
    let answer = post(&receiver.url()).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.len(), answer.is_whole),
        (200, MAX_ANSWER_BYTES, false)
    );
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up() {
    let receiver = Receiver::open().await;
    receiver.answers(|_| Reply::Never);
    // A machine that is slow takes longer to send it: that is a timeout as well.
    for millis in [50, 500, 5_000, 60_000] {
        let patience = Patience {
            headers: Duration::from_millis(millis),
            whole: Duration::from_millis(2 * millis),
        };
        let egress = Egress::resolving(guard(), patience, names(&[&["127.0.0.1"]])).unwrap();
        let given_up = egress.post(&parcel(&receiver.url())).await.unwrap_err();
        assert_eq!(given_up, Failure::Timeout);
        if !receiver.got().is_empty() {
            return;
        }
    }
    panic!("nothing was sent");
}

#[tokio::test]
async fn nobody_there_is_a_failure_of_the_connection() {
    let receiver = Receiver::open().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    assert_eq!(
        post(&format!("http://127.0.0.1:{port}/")).await.unwrap_err(),
        Failure::Connection
    );
    assert_eq!(receiver.got().len(), 0);
}
