//! Previews, waiting requests, answers for requests that come again.

use muster::base::clock::Timestamp;
use muster::store::Error;
use muster::store::access::pendings::{NewPending, WAITING};
use muster::store::access::previews::Preview;
use muster::store::access::replays::{Answer, Claim, Progress, prune};
use muster::store::error::Unique;

use super::super::shelf::Shelf;

fn preview(id: &str, created: i64) -> Preview {
    Preview {
        id: id.to_owned(),
        created: Timestamp(created),
        policy_version: 3,
        changes: "[]".to_owned(),
        result: "{}".to_owned(),
        digest: "d".to_owned(),
        applied: None,
    }
}

fn claim(caller: &str, attempt: &str) -> Claim {
    Claim {
        caller: caller.to_owned(),
        key: "k".to_owned(),
        attempt: attempt.to_owned(),
    }
}

each_database! {
    async fn a_preview_is_applied_once_and_goes_with_time(shelf: Shelf) {
        let mut unit = shelf.unit().await;
        for (id, created) in [("a", 10), ("b", 20), ("c", 30)] {
            unit.previews().keep(&preview(id, created));
        }
        unit.save().await.unwrap();
        assert_eq!(shelf.reader().previews().find("b").await.unwrap(), Some(preview("b", 20)));
        let mut unit = shelf.unit().await;
        assert!(unit.previews().apply("b", Timestamp(99)).await.unwrap());
        assert!(!unit.previews().apply("b", Timestamp(100)).await.unwrap());
        assert!(!unit.previews().apply("x", Timestamp(100)).await.unwrap());
        assert_eq!(unit.previews().prune(Timestamp(30), 1).await.unwrap(), 1);
        unit.save().await.unwrap();
        assert_eq!(shelf.reader().previews().find("a").await.unwrap(), None);
        assert_eq!(shelf.reader().previews().find("b").await.unwrap().unwrap().applied, Some(Timestamp(99)));
        let mut unit = shelf.unit().await;
        unit.previews().keep(&preview("b", 40));
        let taken = unit.save().await;
        assert!(matches!(taken, Err(Error::Taken(Unique::AccessId))), "{taken:?}");
    }

    async fn a_request_waits_once_until_it_is_settled(shelf: Shelf) {
        let (ada, id) = shelf.user("ada").await;
        let pending = |id: &'static str, digest: &'static str| NewPending {
            id,
            created: Timestamp(5),
            kind: "parked-request",
            resource: ada,
            digest,
            request: "{\"body\": 1}",
            reason: "the last admin",
            hold: None,
        };
        let mut unit = shelf.unit().await;
        assert_eq!(unit.pendings().keep(pending("a", "1")).await.unwrap(), "a");
        assert_eq!(unit.pendings().keep(pending("b", "2")).await.unwrap(), "b");
        assert_eq!(unit.pendings().keep(pending("c", "1")).await.unwrap(), "a", "it waits already");
        unit.save().await.unwrap();
        let waiting = shelf.reader().pendings().list(WAITING, 0, 9).await.unwrap();
        assert_eq!(waiting.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(waiting[0].resource.as_ref().map(|(id, _)| id), Some(&id));
        assert_eq!(shelf.reader().pendings().list(WAITING, waiting[0].number, 9).await.unwrap(), waiting[1..]);
        assert_eq!(shelf.reader().pendings().about(ada, 9).await.unwrap(), waiting);
        let mut unit = shelf.unit().await;
        assert!(unit.pendings().settle("a", "done").await.unwrap());
        assert!(!unit.pendings().settle("a", "refused").await.unwrap());
        unit.save().await.unwrap();
        let found = shelf.reader().pendings().find("a").await.unwrap().unwrap();
        assert_eq!((found.state.as_str(), found.request.as_str()), ("done", "{}"));
        let mut unit = shelf.unit().await;
        assert_eq!(unit.pendings().keep(pending("d", "1")).await.unwrap(), "d", "it can wait again");
        unit.pendings().settle_about(ada, "parked-request", "closed");
        unit.save().await.unwrap();
        assert_eq!(shelf.reader().pendings().list(WAITING, 0, 9).await.unwrap(), []);
    }

    async fn only_the_latest_previews_are_kept(shelf: Shelf) {
        let mut unit = shelf.unit().await;
        for id in ["a", "b", "c", "d"] {
            unit.previews().keep(&preview(id, 10));
        }
        assert_eq!(unit.previews().crop(2).await.unwrap(), 2);
        assert_eq!(unit.previews().crop(2).await.unwrap(), 0);
        unit.save().await.unwrap();
        assert_eq!(shelf.reader().previews().find("b").await.unwrap(), None);
        assert!(shelf.reader().previews().find("c").await.unwrap().is_some());
    }

    async fn what_waits_no_more_takes_the_unit_along_that_would_do_it(shelf: Shelf) {
        let (ada, _) = shelf.user("ada").await;
        let waits = NewPending {
            id: "a",
            created: Timestamp(5),
            kind: "parked-request",
            resource: ada,
            digest: "1",
            request: "{}",
            reason: "the last admin",
            hold: None,
        };
        let mut unit = shelf.unit().await;
        unit.pendings().keep(waits).await.unwrap();
        unit.save().await.unwrap();
        let does = async |preview_id: &str| {
            let mut unit = shelf.unit().await;
            unit.pendings().settle_with("a", "applied");
            unit.previews().keep(&preview(preview_id, 10));
            unit.save().await
        };
        does("first").await.unwrap();
        assert_eq!(shelf.reader().pendings().find("a").await.unwrap().unwrap().state, "applied");
        let second = does("second").await;
        assert!(matches!(second, Err(Error::Stale)), "{second:?}");
        assert!(shelf.reader().previews().find("first").await.unwrap().is_some());
        assert_eq!(shelf.reader().previews().find("second").await.unwrap(), None);
    }

    async fn a_key_belongs_to_one_request_until_it_expires(shelf: Shelf) {
        let (never, first) = ((Timestamp(0), Timestamp(0)), claim("token-1", "one"));
        let mut unit = shelf.unit().await;
        assert!(unit.replays().claim(&first, "h", Timestamp(10), never).await.unwrap());
        assert!(!unit.replays().claim(&claim("token-1", "two"), "h", Timestamp(11), never).await.unwrap());
        assert!(unit.replays().claim(&claim("token-2", "three"), "other", Timestamp(12), never).await.unwrap());
        // Nothing was changed for it: the same request takes it over, another one does not.
        let abandoned = (Timestamp(11), Timestamp(0));
        assert!(!unit.replays().claim(&claim("token-1", "four"), "other", Timestamp(20), abandoned).await.unwrap());
        assert!(unit.replays().claim(&claim("token-1", "five"), "h", Timestamp(20), abandoned).await.unwrap());
        unit.save().await.unwrap();
        // Whoever lost it saves nothing more.
        let mut unit = shelf.unit().await;
        unit.replays().take_effect(&first);
        let lost = unit.save().await;
        assert!(matches!(lost, Err(Error::Stale)), "{lost:?}");
        let mut unit = shelf.unit().await;
        unit.replays().take_effect(&claim("token-1", "five"));
        unit.save().await.unwrap();
        let found = shelf.reader().replays().find("token-1", "k").await.unwrap().unwrap();
        assert_eq!((found.request_hash.as_str(), found.progress), ("h", Progress::Effective));
        // What has changed something is taken over by nobody, until it is too old.
        let mut unit = shelf.unit().await;
        let later = (Timestamp(90), Timestamp(20));
        assert!(!unit.replays().claim(&claim("token-1", "six"), "h", Timestamp(99), later).await.unwrap());
        assert!(unit.replays().claim(&claim("token-1", "six"), "new", Timestamp(99), (Timestamp(0), Timestamp(21))).await.unwrap());
        unit.save().await.unwrap();
    }

    async fn an_answer_is_kept_and_a_claim_without_effect_given_back(shelf: Shelf) {
        let answer = Answer { status: 201, location: Some("/x".to_owned()), body: "{\"id\":1}".to_owned() };
        let (one, two) = (claim("token-1", "one"), claim("token-2", "two"));
        let mut unit = shelf.unit().await;
        for (claim, at) in [(&one, 10), (&two, 12)] {
            assert!(unit.replays().claim(claim, "h", Timestamp(at), (Timestamp(0), Timestamp(0))).await.unwrap());
        }
        unit.replays().take_effect(&one);
        unit.replays().release(&one);
        unit.replays().done(&one, Some(&answer));
        unit.replays().done(&claim("token-2", "somebody else"), Some(&answer));
        unit.save().await.unwrap();
        let found = shelf.reader().replays().find("token-1", "k").await.unwrap().unwrap();
        assert_eq!((found.progress, found.created), (Progress::Done(Some(answer)), Timestamp(10)));
        assert_eq!(shelf.reader().replays().find("token-2", "k").await.unwrap().unwrap().progress, Progress::Claimed);
        let mut unit = shelf.unit().await;
        unit.replays().release(&two);
        unit.save().await.unwrap();
        assert_eq!(shelf.reader().replays().find("token-2", "k").await.unwrap(), None);
        assert_eq!(prune(&shelf.db, Timestamp(10), 100).await.unwrap(), 0);
        assert_eq!(prune(&shelf.db, Timestamp(11), 100).await.unwrap(), 1);
        assert_eq!(shelf.reader().replays().find("token-1", "k").await.unwrap(), None);
    }
}
