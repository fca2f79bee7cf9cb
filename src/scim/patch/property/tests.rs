//! The two readings side by side, over random histories of random requests.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::vector_tests::{registry, stored};
use super::super::{apply, parse};
use super::known::Step;
use super::model::Model;
use super::requests::{emails, steps};
use crate::scim::ScimType::InvalidValue;
use crate::scim::message::PATCH_OP;
use crate::scim::schema::{Registry, USER};
use crate::scim::validate;

static REGISTRY: LazyLock<Registry> = LazyLock::new(registry);

/// A document in which an absent `primary` and one that is false are the same.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => {
            let kept = members
                .iter()
                .filter(|(name, value)| *name != "primary" || **value != json!(false));
            Value::Object(
                kept.map(|(name, value)| (name.clone(), plain(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn apply_does_what_the_model_of_facts_does(first in emails(), history in steps(0..6), request in steps(1..4)) {
        let ty = REGISTRY.resource_type("User").unwrap();
        let (mut document, ..) = stored(ty, &json!({ "schemas": [USER], "userName": "ada" }));
        let mut external_id = None;
        let mut model = Model::default();
        model.enter(0, vec![("", json!("ada"))]);
        // The history grows a random resource, a request at a time; what is refused leaves both as they were.
        let requests = std::iter::once(first).chain(history).map(|step| vec![step]).chain([request]);
        for steps in requests {
            let operations: Vec<_> = steps.iter().map(Step::to_json).collect();
            let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
            let mut after = model.clone();
            let mut verdict = steps.iter().try_for_each(|step| after.step(step));
            let renamed = after.shown(0) != model.shown(0);
            if verdict.is_ok() && renamed && after.shown(0) == Some(json!("")) {
                verdict = Err(InvalidValue);
            }
            let patched = parse(&body).and_then(|mut request| {
                request.lenient = true;
                apply(ty, &request, &document, external_id.as_deref())
            });
            match (verdict, patched) {
                (Ok(()), Ok(patched)) => {
                    let mut shown = patched.document.as_map().clone();
                    shown.shift_remove("schemas");
                    if let Some(id) = &patched.external_id {
                        shown.insert("externalId".to_owned(), id.as_str().into());
                    }
                    prop_assert_eq!(plain(&Value::Object(shown)), plain(&after.document()), "{}", body);
                    let differs = patched.document != document || patched.external_id != external_id;
                    prop_assert_eq!(patched.changed, differs, "{}", body);
                    let echo = Value::Object(patched.document.as_map().clone());
                    let echoed = validate::replace(ty, &echo, &document).map(|incoming| incoming.document);
                    prop_assert_eq!(echoed.as_ref(), Ok(&patched.document), "what was shown can be sent back by PUT");
                    document = patched.document;
                    external_id = patched.external_id;
                    model = after;
                }
                (Err(expected), Err(error)) => prop_assert_eq!(Some(expected), error.scim_type, "{} {}", body, error),
                (verdict, patched) => prop_assert!(false, "{body}: model {verdict:?}, apply {patched:?}"),
            }
        }
    }
}
