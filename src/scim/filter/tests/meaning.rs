//! What filters select, fact by fact.

use super::world::{ask, users};
use crate::scim::ScimType;
use crate::scim::filter::{Filter, check, matches_element};
use crate::scim::path::PatchPath;
use crate::scim::schema::Registry;

const ALL: &str = "u1 u2 u3 u4 u5 u6 u7";

#[test]
fn text_without_case_exact_compares_in_any_case() {
    assert_eq!(users("userName eq \"ALICE@ACME.TEST\""), "u1");
    assert_eq!(users("title co \"GUIDE\""), "u1 u5");
    assert_eq!(users("title sw \"TOUR\""), "u1 u5");
    assert_eq!(users("title ew \"gUiDe\""), "u1 u5");
    assert_eq!(users("userName gt \"FRANK\""), "u7");
    assert_eq!(users("userName ge \"FRANK\""), "u6 u7");
    assert_eq!(users("userName le \"ALICE@acme.test\""), "u1");
    assert_eq!(users("emails.value ew \"@ACME.test\""), "u1 u2 u4 u5 u7");
    assert_eq!(users("displayName eq \"E\u{301}RIN\""), "u5");
    assert_eq!(users("userName eq \"ｇｉｎａ\""), "u7");
}

#[test]
fn case_exact_text_compares_in_its_case() {
    assert_eq!(users("externalId eq \"EXT-a1\""), "u1");
    assert_eq!(users("externalId sw \"ext\""), "u2");
    assert_eq!(users("id eq \"U1\""), "");
    assert_eq!(users("id eq \"u1\""), "u1");
    assert_eq!(users("<BADGE>:code gt \"ABC\""), "u1 u2");
    assert_eq!(users("<BADGE>:code co \"b\""), "u1 u2");
    assert_eq!(users("<BADGE>:code lt \"a\""), "u1");
    assert_eq!(users("groups.value eq \"G1\""), "");
    assert_eq!(users("<ENT>:manager.value eq \"u2\""), "u1");
}

#[test]
fn wildcards_of_stores_are_plain_text() {
    assert_eq!(users("displayName co \"_\""), "u4");
    assert_eq!(users("displayName co \"*\""), "");
    assert_eq!(users("userName co \"\\\\\""), "u4");
    assert_eq!(users("displayName sw \"100%\""), "u2");
    assert_eq!(users("displayName co \"'\""), "u1");
}

#[test]
fn names_and_urns_have_no_letter_case() {
    assert_eq!(users("NAME.FAMILYNAME eq \"jensen\""), "u2");
    assert_eq!(
        users("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"gina\""),
        "u7"
    );
    assert_eq!(
        users("URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER:DEPARTMENT eq \"r&d\""),
        "u1"
    );
    assert_eq!(
        users("urn:ietf:params:scim:schemas:core:2.0:User:meta.resourceType eq \"User\""),
        ALL
    );
    assert_eq!(users("Emails[TYPE eq \"WORK\" and VALUE ew \"example\"]"), "u2");
}

#[test]
fn absent_values_equal_nothing_and_differ_from_everything() {
    assert_eq!(users("title ne \"manager\""), "u1 u3 u4 u5 u6 u7");
    assert_eq!(users("not (title eq \"manager\")"), "u1 u3 u4 u5 u6 u7");
    assert_eq!(users("active eq false"), "u2 u7");
    assert_eq!(users("active ne false"), "u1 u3 u4 u5 u6");
    assert_eq!(users("<BADGE>:level ne 3"), "u2 u3 u4 u5 u6 u7");
    assert_eq!(users("<BADGE>:level lt 1000"), "u1 u2 u3");
    assert_eq!(users("not (<BADGE>:level lt 1000)"), "u4 u5 u6 u7");
}

#[test]
fn null_asks_for_a_value_and_pr_for_one_that_is_not_empty() {
    assert_eq!(users("title eq null"), "u3 u4 u6");
    assert_eq!(users("nickName ne null"), "u3");
    assert_eq!(users("nickName pr"), "");
    assert_eq!(users("nickName eq \"\""), "u3");
    assert_eq!(users("name eq null"), "u3 u4 u5 u6 u7");
    assert_eq!(users("name pr"), "u1 u2");
    assert_eq!(users("emails eq null"), "u3 u6");
    assert_eq!(users("emails.type eq null"), "u3 u6 u7");
    assert_eq!(users("emails.type ne null"), "u1 u2 u4 u5");
    assert_eq!(users("emails[type eq null]"), "u7");
    assert_eq!(users("active eq null"), "u3 u6");
    assert!(users("title gt null").starts_with("`gt` cannot be used with null"));
}

#[test]
fn an_empty_operand_is_part_of_every_value() {
    assert_eq!(users("title co \"\""), "u1 u2 u5 u7");
    assert_eq!(users("title sw \"\" and title ew \"\""), "u1 u2 u5 u7");
    assert_eq!(users("title eq \"\""), "");
    assert_eq!(users("title gt \"\""), "u1 u2 u5 u7");
}

#[test]
fn one_value_of_many_suffices() {
    assert_eq!(users("emails co \"partner\""), "u2");
    assert_eq!(users("emails eq \"bob@partner.example\""), "u2");
    assert_eq!(users("<BADGE>:tags eq \"RED\""), "u1");
    assert_eq!(users("<BADGE>:tags pr"), "u1 u2");
    assert_eq!(users("phoneNumbers.value ew \"0101\""), "u1");
    assert_eq!(users("addresses[country eq \"fr\" and locality eq \"lyon\"]"), "u1");
}

#[test]
fn ne_on_many_values_wants_no_value_or_another() {
    assert_eq!(users("emails.type ne \"work\""), "u1 u2 u3 u4 u6 u7");
    assert_eq!(users("emails[type ne \"work\"]"), "u1 u2 u4 u7");
    assert_eq!(users("emails ne \"gina@acme.test\""), "u1 u2 u3 u4 u5 u6");
    assert_eq!(users("<BADGE>:tags ne \"green\""), "u1 u3 u4 u5 u6 u7");
    assert_eq!(users("<BADGE>:tags[value ne \"red\"]"), "u1 u2");
    assert_eq!(users("not (<BADGE>:tags[value eq \"red\"])"), "u2 u3 u4 u5 u6 u7");
}

#[test]
fn conditions_in_brackets_meet_in_one_element() {
    assert_eq!(
        users("emails[type eq \"work\" and value ew \"@acme.test\"]"),
        "u1 u4 u5"
    );
    assert_eq!(users("emails[type eq \"home\" or type eq \"other\"]"), "u1 u2 u4");
    assert_eq!(users("emails[not (type pr)]"), "u7");
    assert_eq!(
        users("emails[type eq \"work\"].value ne \"alice@acme.test\""),
        "u2 u4 u5"
    );
    assert_eq!(users("not (emails[type eq \"work\"])"), "u3 u6 u7");
}

#[test]
fn an_absent_primary_is_false_where_there_is_an_element() {
    assert_eq!(users("emails[primary eq true]"), "u1 u4");
    assert_eq!(users("emails[primary ne true]"), "u1 u2 u4 u5 u7");
    assert_eq!(users("emails[primary ne false]"), "u1 u4");
    assert_eq!(users("emails.primary eq false"), "u1 u2 u4 u5 u7");
    assert_eq!(users("emails.primary eq true"), "u1 u4");
}

#[test]
fn numbers_compare_by_magnitude() {
    assert_eq!(users("<BADGE>:level gt 9"), "u2");
    assert_eq!(users("<BADGE>:level le 9.0"), "u1 u3");
    assert_eq!(users("<BADGE>:level eq 1e1"), "u2");
    assert_eq!(users("<BADGE>:level ge -0"), "u1 u2 u3");
    assert_eq!(users("<BADGE>:score gt 4"), "u1");
    assert_eq!(users("<BADGE>:score ne 4.50"), "u2 u3 u4 u5 u6 u7");
}

#[test]
fn dates_compare_as_instants() {
    assert_eq!(users("meta.lastModified eq \"2024-02-29T19:00:00-05:00\""), "u1 u2");
    assert_eq!(users("meta.lastModified gt \"2024-03-01T00:00:00Z\""), "u3 u4 u5 u6 u7");
    assert_eq!(users("meta.lastModified lt \"2024-03-01T00:00:00.001Z\""), "u1 u2");
    assert_eq!(users("meta.created eq \"2024-05-05T05:05:05.500Z\""), "u5");
    assert_eq!(users("<BADGE>:issuedAt eq \"2024-01-15T08:00:00\""), "u1");
    assert_eq!(users("<BADGE>:issuedAt pr"), "u1");
    for bad in ["\"2024-01-15\"", "\"yesterday\"", "\"\"", "1705305600"] {
        assert!(
            users(&format!("<BADGE>:issuedAt eq {bad}")).contains("is a date with time"),
            "{bad}"
        );
    }
}

#[test]
fn operators_that_do_not_fit_a_type_are_refused() {
    for op in ["co", "sw", "ew", "gt", "ge", "lt", "le"] {
        for (name, value) in [
            ("active", "true"),
            ("<BADGE>:seal", "\"AQID\""),
            ("emails.primary", "true"),
        ] {
            assert!(
                users(&format!("{name} {op} {value}")).contains("cannot be used with"),
                "{name} {op}"
            );
        }
    }
    for op in ["co", "sw", "ew"] {
        for (name, value) in [("<BADGE>:level", "1"), ("meta.created", "\"2024-01-15T08:00:00Z\"")] {
            assert!(
                users(&format!("{name} {op} {value}")).contains("cannot be used with"),
                "{name} {op}"
            );
        }
    }
    assert_eq!(users("<BADGE>:seal eq \"AQID\""), "u1");
    assert_eq!(users("<BADGE>:seal eq \"aqid\""), "");
}

#[test]
fn values_of_another_type_are_refused() {
    for text in [
        "active eq \"true\"",
        "active eq 1",
        "userType eq true",
        "userName eq 1",
        "<BADGE>:level eq \"9\"",
        "<BADGE>:level eq true",
        "<BADGE>:verified eq \"false\"",
        "<BADGE>:seal eq 1",
        "<BADGE>:tags eq true",
        "emails[primary eq \"true\"]",
        "emails.type eq 1",
        "profileUrl eq true",
        "id eq 1",
    ] {
        let detail = users(text);
        assert!(detail.contains(" is ") && detail.contains("quotes"), "{text}: {detail}");
    }
}

#[test]
fn complex_attributes_need_a_sub_attribute_unless_they_have_values() {
    assert_eq!(
        users("name eq \"x\""),
        "`name` has several parts; name one of them, such as `name.formatted`"
    );
    assert!(users("addresses co \"x\"").contains("such as `addresses.formatted`"));
    assert!(users("<ENT>:manager eq \"u2\"").contains("such as"));
    assert!(users("meta gt \"x\"").contains("such as"));
    assert_eq!(users("<ENT>:manager pr"), "u1");
    assert_eq!(users("groups eq \"g1\""), "u1 u2");
    assert_eq!(users("meta pr"), ALL);
}

#[test]
fn value_paths_need_many_values() {
    for text in [
        "name[familyName eq \"x\"]",
        "userName[value eq \"x\"]",
        "emails.type[value eq \"x\"]",
        "meta[created pr]",
    ] {
        assert!(users(text).contains("has one value at most"), "{text}");
    }
    for text in [
        "emails[foo pr]",
        "emails[emails.type pr]",
        "emails[userName pr]",
        "<BADGE>:tags[type pr]",
        "emails[<ENT>:type pr]",
    ] {
        assert!(users(text).contains("has no sub-attribute"), "{text}");
    }
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one() {
    assert_eq!(
        users("usrName eq \"x\""),
        "there is no attribute `usrName`; did you mean `userName`?"
    );
    assert_eq!(
        users("email pr"),
        "there is no attribute `email`; did you mean `emails`?"
    );
    assert_eq!(users("name.family pr"), "there is no attribute `name.family`");
    assert_eq!(users("userName.value pr"), "there is no attribute `userName.value`");
    assert_eq!(users("colour pr"), "there is no attribute `colour`");
    for text in [
        "urn:x:y:z pr",
        "urn:x:y:userName pr",
        "department pr",
        "members.value pr",
        "<BADGE>:userName pr",
        "tags pr",
    ] {
        assert!(users(text).starts_with("there is no attribute"), "{text}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_at_its_character() {
    let registry = Registry::builtin();
    let user = registry.resource_type("User").unwrap();
    let refused = |text: &str| {
        let fault = check(&Filter::parse(text).unwrap(), &[user]).unwrap_err();
        (fault.position, fault.suggestion)
    };
    let meant = |name: &str| Some(name.to_owned());
    assert_eq!(refused("  title pr or (usrName pr)  "), (Some(16), meant("userName")));
    assert_eq!(
        refused("emails[type eq \"ö\" and vlaue pr]"),
        (Some(24), meant("value"))
    );
    assert_eq!(refused("emails[type pr].vlaue co \"x\""), (Some(17), meant("value")));
    assert_eq!(refused("not (active gt true)"), (Some(6), None));
    assert_eq!(refused("name[familyName pr]"), (Some(1), None));
    assert_eq!(Filter::parse("title eq").unwrap_err().position, Some(9));
}

#[test]
fn schemas_can_be_asked_for() {
    assert_eq!(users("schemas eq \"<ENT>\""), "u1 u2");
    assert_eq!(
        users("schemas eq \"URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER\""),
        "u1 u2"
    );
    assert_eq!(users("schemas co \"badge\""), "u1 u2 u3");
    assert_eq!(users("<ENT> pr"), "u1 u2");
    assert_eq!(users("urn:ietf:params:scim:schemas:core:2.0:User pr"), ALL);
    assert!(users("<ENT> eq \"x\"").ends_with("is a schema; name one of its attributes"));
}

#[test]
fn links_compare_by_what_they_lead_to() {
    assert_eq!(users("meta.location eq \"https://idp.example/scim/v2/Users/u1\""), "u1");
    assert_eq!(users("meta.location eq \"/Users/u1\""), "u1");
    assert_eq!(users("meta.location eq \"https://idp.example/scim/v3/Users/u1\""), "u1");
    assert_eq!(users("meta.location ew \"/u1\""), "u1");
    assert_eq!(users("meta.location co \"Users\""), ALL);
    assert_eq!(users("groups.$ref pr"), "");
}

#[test]
fn the_password_is_out_of_reach() {
    for text in [
        "password eq \"x\"",
        "password pr",
        "PASSWORD co \"\"",
        "not (password eq null)",
    ] {
        let error = ask("/Users", text).unwrap_err();
        assert_eq!(
            (error.status, error.scim_type),
            (403, Some(ScimType::Sensitive)),
            "{text}"
        );
    }
}

#[test]
fn a_search_over_all_types_knows_the_names_of_each() {
    assert_eq!(ask("/", "displayName sw \"ops\"").unwrap(), ["g1", "g2"]);
    assert_eq!(
        ask("/", "members.value eq \"u1\" or userName eq \"gina\"").unwrap(),
        ["u7", "g1"]
    );
    assert_eq!(
        ask("/", "userName ne \"gina\" and displayName pr and not (userName pr)").unwrap(),
        ["g1", "g2", "g3"]
    );
    assert!(ask("/", "nothing pr").is_err());
}

#[test]
fn a_core_urn_restricts_a_search_over_all_types_to_its_own() {
    assert_eq!(
        ask("/", "urn:ietf:params:scim:schemas:core:2.0:Group:displayName co \"e\"").unwrap(),
        ["g1", "g2", "g3"]
    );
    assert_eq!(
        ask(
            "/",
            "urn:ietf:params:scim:schemas:core:2.0:Group:displayName ne \"Empty\""
        )
        .unwrap()
        .len(),
        9
    );
    assert_eq!(
        ask("/", "urn:ietf:params:scim:schemas:core:2.0:User:displayName pr")
            .unwrap()
            .len(),
        6
    );
}

#[test]
fn one_element_can_be_tried_alone() {
    let registry = Registry::builtin();
    let user = registry.resource_type("User").unwrap();
    let path = PatchPath::parse("emails[type eq \"work\" and primary eq false].value").unwrap();
    let filter = check(&path.value_path().unwrap(), &[user]).unwrap();
    assert!(matches_element(
        &filter,
        &serde_json::json!({"type": "WORK", "value": "x"})
    ));
    assert!(!matches_element(
        &filter,
        &serde_json::json!({"type": "WORK", "primary": true})
    ));
    assert!(!matches_element(&filter, &serde_json::json!({})));
    let whole = check(&Filter::parse("userName pr").unwrap(), &[user]).unwrap();
    assert!(!matches_element(&whole, &serde_json::json!({"userName": "x"})));
}
