//! Requests at random: mostly sensible ones, and now and then a value that is not.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::known::{KNOWN, Step};

fn text(sub: &'static str) -> BoxedStrategy<Value> {
    let words: &'static [&'static str] = match sub {
        "type" => &["work", "Work", "home", "other"],
        "userName" => &["ada", "bob", "", "Ada"],
        _ => &["a", "A", "b", "c", ""],
    };
    match sub {
        "primary" => any::<bool>().prop_map(Value::from).boxed(),
        _ => prop::sample::select(words).prop_map(Value::from).boxed(),
    }
}

/// A value for a sub-attribute; now and then none, or one of the wrong type.
fn odd(sub: &'static str) -> impl Strategy<Value = Value> {
    prop_oneof![12 => text(sub), 1 => Just(Value::Null), 1 => Just(json!([])), 1 => Just(json!(7))]
}

fn object(subs: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::subsequence(subs, 0..=subs.len()).prop_flat_map(|chosen| {
        let values: Vec<_> = chosen.iter().map(|sub| odd(sub)).collect();
        values.prop_map(move |values| {
            Value::Object(
                chosen
                    .iter()
                    .zip(values)
                    .map(|(sub, value)| ((*sub).to_owned(), value))
                    .collect(),
            )
        })
    })
}

/// A value for a whole attribute.
fn value(attribute: usize) -> BoxedStrategy<Value> {
    let known = &KNOWN[attribute];
    let one = if known.subs.is_empty() {
        odd(known.name).boxed()
    } else {
        object(known.subs).boxed()
    };
    let rare = prop::sample::select(vec![json!(null), json!([]), json!({}), json!(true)]);
    if known.many {
        prop_oneof![6 => prop::collection::vec(one.clone(), 0..4).prop_map(Value::from), 2 => one, 1 => rare].boxed()
    } else {
        prop_oneof![8 => one, 1 => rare].boxed()
    }
}

fn targeted() -> impl Strategy<Value = Step> {
    let verb = prop::sample::select(vec!["add", "remove", "replace"]);
    // Lists of objects have the most rules, so they come up most.
    let attribute = prop_oneof![1 => 0..KNOWN.len(), 2 => Just(4)];
    (verb, attribute).prop_flat_map(|(verb, attribute)| {
        let known = &KNOWN[attribute];
        let filterable: &'static [&'static str] = if known.subs.is_empty() { &["value"] } else { known.subs };
        let terms = prop::sample::subsequence(filterable, 0..=filterable.len().min(2)).prop_flat_map(|subs| {
            let values: Vec<_> = subs.iter().map(|sub| text(sub)).collect();
            values.prop_map(move |values| subs.iter().copied().zip(values).collect::<Vec<_>>())
        });
        let terms = prop_oneof![1 => Just(vec![]), 1 => terms];
        let sub = if known.subs.is_empty() {
            Just(None).boxed()
        } else {
            prop::option::of(prop::sample::select(known.subs)).boxed()
        };
        (terms, sub).prop_flat_map(move |(terms, sub)| {
            let value = sub.map_or_else(|| value(attribute), |sub| odd(sub).boxed());
            let value = prop_oneof![9 => value.prop_map(Some), 1 => Just(None)];
            let target = Some((attribute, terms, sub));
            value.prop_map(move |value| Step {
                verb,
                target: target.clone(),
                value,
            })
        })
    })
}

fn pathless() -> impl Strategy<Value = Step> {
    let keys = prop::sample::subsequence((0..KNOWN.len()).collect::<Vec<_>>(), 0..4);
    let object = keys.prop_flat_map(|keys| {
        let values: Vec<_> = keys.iter().map(|key| value(*key)).collect();
        values.prop_map(move |values| {
            Value::Object(
                keys.iter()
                    .zip(values)
                    .map(|(key, value)| (KNOWN[*key].path(), value))
                    .collect(),
            )
        })
    });
    let value = prop_oneof![9 => object, 1 => Just(json!("x"))];
    (
        prop::sample::select(vec!["add", "add", "replace", "replace", "remove"]),
        prop::option::weighted(0.9, value),
    )
        .prop_map(|(verb, value)| Step {
            verb,
            target: None,
            value,
        })
}

pub(super) fn steps(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(prop_oneof![5 => targeted(), 1 => pathless()], count)
}

/// E-mail addresses to begin with.
pub(super) fn emails() -> impl Strategy<Value = Step> {
    let email = (
        text("value"),
        text("type"),
        prop::option::weighted(0.3, text("primary")),
    );
    prop::collection::vec(email, 0..4).prop_map(|emails| {
        let emails = emails.into_iter().map(|(value, kind, primary)| match primary {
            Some(primary) => json!({ "value": value, "type": kind, "primary": primary }),
            None => json!({ "value": value, "type": kind }),
        });
        Step {
            verb: "replace",
            target: Some((4, vec![], None)),
            value: Some(emails.collect()),
        }
    })
}
