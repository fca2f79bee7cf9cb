//! Filters that cannot be served: never the unfiltered list, always a reason.

use serde_json::json;

use crate::api::asks::refused;
use crate::api::bodies::{search, user};
use crate::support::TestHouse;

const SECRET: &str = "secret-of-ada";

each_database! {
    async fn an_unknown_attribute_is_an_invalid_filter_with_a_suggestion(house: TestHouse) {
        house.user("ada").await;
        let filter = format!("usrName eq \"{SECRET}\"");
        let detail = refused(&house, SECRET, house.find("/Users", &filter))
            .await
            .error(400, Some("invalidFilter"));
        assert!(detail.contains("usrName") && detail.contains("`userName`"), "{detail}");
        let ask = house.post("/Users/.search", search(json!({"filter": filter})));
        let detail = refused(&house, SECRET, ask).await.error(400, Some("invalidFilter"));
        assert!(detail.contains("`userName`"), "{detail}");
    }

    async fn a_filter_that_does_not_parse_says_where(house: TestHouse) {
        house.user("ada").await;
        let filter = format!("userName eqq \"{SECRET}\"");
        let detail = refused(&house, SECRET, house.find("/Users", &filter))
            .await
            .error(400, Some("invalidFilter"));
        assert!(detail.contains("column 10"), "{detail}");
    }

    async fn filters_that_break_the_grammar_are_refused(house: TestHouse) {
        house.user("ada").await;
        let broken = [
            format!("userName eq '{SECRET}'"),
            format!("userName eq {SECRET}"),
            format!("userName eq \"{SECRET}"),
            format!("userName \"{SECRET}\""),
            format!("userName eq \"{SECRET}\" and"),
            format!("(userName eq \"{SECRET}\""),
            format!("emails[type eq \"work\" and value eq \"{SECRET}\""),
            format!("emails[emails[value eq \"{SECRET}\"]]"),
            format!("not userName eq \"{SECRET}\""),
            " ".into(),
            "userName".into(),
            "userName pr pr".into(),
        ];
        for filter in broken {
            refused(&house, SECRET, house.find("/Users", &filter))
                .await
                .error(400, Some("invalidFilter"));
        }
    }

    async fn comparisons_that_cannot_be_made_are_refused(house: TestHouse) {
        house.user("ada").await;
        let wrong = [
            "active gt false",
            "active co true",
            "active eq 1",
            "userName eq 7",
            "userName eq true",
            "name eq \"x\"",
            "meta.created gt \"yesterday\"",
            "x509Certificates.value gt \"AQID\"",
            "userName gt null",
            "userName[value eq \"x\"]",
        ];
        for filter in wrong {
            refused(&house, SECRET, house.find("/Users", filter))
                .await
                .error(400, Some("invalidFilter"));
        }
    }

    async fn a_password_cannot_be_searched_for(house: TestHouse) {
        house
            .post("/Users", user("ada", json!({"password": SECRET})))
            .await
            .status(201);
        for filter in [
            format!("password eq \"{SECRET}\""),
            "password pr".into(),
            "not (password eq null)".into(),
        ] {
            refused(&house, SECRET, house.find("/Users", &filter))
                .await
                .error(403, Some("sensitive"));
        }
    }

    async fn a_page_that_cannot_be_is_invalid_value(house: TestHouse) {
        house.user("ada").await;
        for query in [
            "startIndex=abc",
            "count=1.5",
            "count=",
            "sortOrder=up",
            "count=1&count=2",
        ] {
            let path = format!("/Users?{query}");
            refused(&house, SECRET, house.get(&path))
                .await
                .error(400, Some("invalidValue"));
        }
    }
}
