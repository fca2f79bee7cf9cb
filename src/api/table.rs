//! A route as one value: what is asked, what it needs, what it takes and gives. The router, the `OpenAPI` document and
//! the page for people are all made of it, so none of them can forget one.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::state::Edge;

/// What a caller needs besides a token of the right kind. The use case decides; this says what it will ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing, not even a token.
    Nothing,
    /// A token of an administrator, or of any user.
    Token,
    /// A token of an administrator, or of a user who holds one of these permissions on *All*.
    OneOf(&'static [&'static str]),
}

/// A query parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// As it stands in the URL.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub says: &'static str,
    /// Type and format in JSON Schema's words, e.g. `integer` or `string:date-time`.
    pub kind: &'static str,
}

/// A type's name and every schema that it needs.
struct Shape {
    name: String,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    fn of<T: ToSchema>() -> Self {
        let name = T::name().into_owned();
        let mut schemas = vec![(name.clone(), T::schema())];
        T::schemas(&mut schemas);
        Self { name, schemas }
    }

    fn reference(&self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name) })
    }
}

/// One method on one path.
pub struct Route {
    method: Method,
    path: &'static str,
    says: &'static str,
    needs: Needs,
    handler: MethodRouter<Edge>,
    parameters: Vec<Parameter>,
    body: Option<Shape>,
    /// Whether the body may be left out.
    bare: bool,
    answer: (u16, Option<Shape>),
    /// Further media types of the answer.
    media: Vec<&'static str>,
}

impl Route {
    fn new<H, T>(method: Method, filter: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Edge>,
        T: 'static,
    {
        Self {
            method,
            path,
            says: "",
            needs: Needs::Token,
            handler: on(filter, handler),
            parameters: Vec::new(),
            body: None,
            bare: false,
            answer: (204, None),
            media: Vec::new(),
        }
    }

    /// `GET`; HEAD comes with it.
    pub fn get<H: Handler<T, Edge>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::GET, MethodFilter::GET, path, handler)
    }

    /// `POST`.
    pub fn post<H: Handler<T, Edge>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::POST, MethodFilter::POST, path, handler)
    }

    /// `PUT`.
    pub fn put<H: Handler<T, Edge>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::PUT, MethodFilter::PUT, path, handler)
    }

    /// `PATCH`.
    pub fn patch<H: Handler<T, Edge>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::PATCH, MethodFilter::PATCH, path, handler)
    }

    /// `DELETE`.
    pub fn delete<H: Handler<T, Edge>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::DELETE, MethodFilter::DELETE, path, handler)
    }

    /// What it does, in one sentence.
    #[must_use]
    pub fn says(mut self, text: &'static str) -> Self {
        self.says = text;
        self
    }

    /// What a caller needs; a token when this is not said.
    #[must_use]
    pub fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// The permissions of which a user needs one.
    #[must_use]
    pub fn one_of(self, keys: &'static [&'static str]) -> Self {
        self.needs(Needs::OneOf(keys))
    }

    /// Query parameters it knows; every other is refused.
    #[must_use]
    pub fn asks(mut self, parameters: &[Parameter]) -> Self {
        self.parameters.extend_from_slice(parameters);
        self
    }

    /// The body it takes.
    #[must_use]
    pub fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(Shape::of::<T>());
        self
    }

    /// The same, which may be left out.
    #[must_use]
    pub fn may_take<T: ToSchema>(self) -> Self {
        Self {
            bare: true,
            ..self.takes::<T>()
        }
    }

    /// The body it answers with, and the status; 204 without a body when this is not said.
    #[must_use]
    pub fn gives<T: ToSchema>(mut self, status: u16) -> Self {
        self.answer = (status, Some(Shape::of::<T>()));
        self
    }

    /// A media type it answers in, besides the JSON of its type.
    #[must_use]
    pub fn sends(mut self, media: &'static str) -> Self {
        self.answer.0 = if self.answer.1.is_some() { self.answer.0 } else { 200 };
        self.media.push(media);
        self
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Its path from the root, with parameters in braces.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Every schema it mentions, by name.
    pub fn schemas(&self) -> impl Iterator<Item = &(String, RefOr<Schema>)> {
        self.body.iter().chain(&self.answer.1).flat_map(|shape| &shape.schemas)
    }

    /// Its Operation Object (`OpenAPI` 3.1 §4.8.10).
    #[must_use]
    pub fn operation(&self) -> Value {
        let mut operation = json!({
            "operationId": self.id(),
            "tags": [self.tag()],
            "summary": self.says,
            "responses": self.responses(),
        });
        let keyed = self.method == Method::POST && self.path.starts_with("/api") && self.needs != Needs::Nothing;
        let parameters: Vec<Value> = self
            .in_path()
            .chain(self.parameters.iter().map(in_query))
            .chain(keyed.then(|| json!({ "$ref": "#/components/parameters/IdempotencyKey" })))
            .collect();
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = &self.body {
            operation["requestBody"] = json!({
                "required": !self.bare,
                "content": { "application/json": { "schema": body.reference() } },
            });
        }
        match self.needs {
            Needs::Nothing => operation["security"] = json!([]),
            Needs::Token => {}
            Needs::OneOf(keys) => operation["x-permissions"] = json!(keys),
        }
        operation
    }

    /// `post_roles_id_copy`: stable, because clients are generated from it.
    fn id(&self) -> String {
        let words = self
            .path
            .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let words = words.filter(|word| !word.is_empty() && !matches!(*word, "api" | "v1"));
        let words: Vec<_> = words.map(str::to_owned).collect();
        format!("{}_{}", self.method.as_str().to_ascii_lowercase(), words.join("_"))
    }

    /// The first word behind the version.
    fn tag(&self) -> &'static str {
        let mut words = self.path.split('/').filter(|word| !word.is_empty());
        match words.next() {
            Some("api") => words.find(|word| *word != "v1").unwrap_or("api"),
            Some("events") => "streams",
            _ => "decisions",
        }
    }

    fn responses(&self) -> Value {
        let (status, shape) = &self.answer;
        let empty = shape.is_none() && self.media.is_empty();
        let mut answer = json!({ "description": if empty { "Done; no body" } else { "Done" } });
        if let Some(shape) = shape {
            answer["content"] = json!({ "application/json": { "schema": shape.reference() } });
        }
        for media in &self.media {
            answer["content"][*media] = json!({});
        }
        let refusal = if ["/api", "/events"].iter().any(|root| self.path.starts_with(root)) {
            "#/components/responses/Problem"
        } else {
            "#/components/responses/Message"
        };
        json!({ status.to_string(): answer, "default": { "$ref": refusal } })
    }

    fn in_path(&self) -> impl Iterator<Item = Value> {
        let names = self
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
    }
}

fn in_query(parameter: &Parameter) -> Value {
    let mut schema = json!({});
    match parameter.kind.split_once(':') {
        Some((kind, format)) => schema = json!({ "type": kind, "format": format }),
        None => schema["type"] = parameter.kind.into(),
    }
    let mut shown = json!({ "name": parameter.name, "in": "query", "description": parameter.says, "schema": schema });
    if parameter.kind == "boolean" {
        shown["allowEmptyValue"] = true.into();
    }
    shown
}

/// A router of these routes.
pub fn router(routes: Vec<Route>) -> Router<Edge> {
    routes
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.handler))
}
