//! Lists: a page of items, and the token that the next page is asked for with.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::service::access;

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// Sent as `after`, it asks for the page behind this one; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// By hand: the derive names the schema of the items and does not bring it along.
impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        let next = ObjectBuilder::new().schema_type(Type::String).description(Some(
            "Sent as `after`, it asks for the page behind this one; absent on the last page",
        ));
        let page = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("items", items)
            .property("next", next)
            .required("items");
        Schema::from(page).into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T> Page<T> {
    /// A list that is always whole.
    pub fn whole<U: Into<T>>(items: Vec<U>) -> Self {
        Self {
            items: items.into_iter().map(Into::into).collect(),
            next: None,
        }
    }
}

impl<T, U: Into<T>> From<access::Page<U>> for Page<T> {
    fn from(page: access::Page<U>) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            next: page.next,
        }
    }
}
