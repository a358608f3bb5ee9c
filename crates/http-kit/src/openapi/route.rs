//! One route, described.

use http::{Method, StatusCode};
use serde_json::Value;
use utoipa::ToSchema;
use yoi_protocol::{Code, Operation};

/// The schemas of one type: its name, and itself with all that it refers to.
#[derive(Clone)]
pub(super) struct TypeDoc {
    pub(super) name: String,
    pub(super) schemas: Vec<(String, Value)>,
}

impl TypeDoc {
    pub(super) fn of<T: ToSchema>() -> Self {
        let name = T::name().into_owned();
        let mut found = vec![(name.clone(), T::schema())];
        T::schemas(&mut found);
        let schemas = found
            .into_iter()
            .filter_map(|(name, schema)| Some((name, serde_json::to_value(schema).ok()?)))
            .collect();
        Self { name, schemas }
    }
}

/// What stands in a body.
#[derive(Clone)]
pub(super) enum Content {
    /// A type of the contract, as JSON.
    Json(TypeDoc),
    /// Something else, by its media type.
    Other(&'static str),
    /// Nothing.
    Nothing,
}

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// Any text.
    Text,
    /// Text that matches this regular expression.
    Matching(&'static str),
    /// A whole number from 0 on.
    Number,
    /// A whole number from the first to the second.
    Between(u64, u64),
    /// One of these.
    OneOf(&'static [&'static str]),
}

#[derive(Clone)]
pub(super) struct ParamDoc {
    pub(super) place: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: ParamKind,
    pub(super) description: &'static str,
}

#[derive(Clone)]
pub(super) struct AnswerDoc {
    pub(super) status: StatusCode,
    pub(super) description: &'static str,
    pub(super) content: Content,
}

/// One route of a server: what it takes and how it answers.
#[derive(Clone)]
pub struct RouteDoc {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) operation: Option<Operation>,
    pub(super) open: bool,
    pub(super) body: Option<(TypeDoc, bool)>,
    pub(super) params: Vec<ParamDoc>,
    pub(super) answers: Vec<AnswerDoc>,
    pub(super) codes: Vec<Code>,
}

impl RouteDoc {
    /// A `GET` route. `id` names it in generated clients.
    #[must_use]
    pub fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, path, id, summary)
    }

    /// A `POST` route.
    #[must_use]
    pub fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, path, id, summary)
    }

    fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            operation: None,
            open: false,
            body: None,
            params: Vec::new(),
            answers: Vec::new(),
            codes: Vec::new(),
        }
    }

    /// The operation that the route asks for.
    #[must_use]
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// The route needs no credential.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// The body that it needs.
    #[must_use]
    pub fn body<T: ToSchema>(mut self) -> Self {
        self.body = Some((TypeDoc::of::<T>(), true));
        self
    }

    /// The body that it takes.
    #[must_use]
    pub fn optional_body<T: ToSchema>(mut self) -> Self {
        self.body = Some((TypeDoc::of::<T>(), false));
        self
    }

    /// A parameter of the query that it takes.
    #[must_use]
    pub fn query(self, name: &'static str, kind: ParamKind, description: &'static str) -> Self {
        self.param("query", name, kind, description)
    }

    /// A header that it takes.
    #[must_use]
    pub fn header(self, name: &'static str, kind: ParamKind, description: &'static str) -> Self {
        self.param("header", name, kind, description)
    }

    fn param(
        mut self,
        place: &'static str,
        name: &'static str,
        kind: ParamKind,
        description: &'static str,
    ) -> Self {
        self.params.push(ParamDoc {
            place,
            name,
            kind,
            description,
        });
        self
    }

    /// A success with a JSON body.
    #[must_use]
    pub fn answers<T: ToSchema>(self, status: StatusCode, description: &'static str) -> Self {
        self.answer(status, description, Content::Json(TypeDoc::of::<T>()))
    }

    /// A success with a body of another media type.
    #[must_use]
    pub fn answers_with(
        self,
        status: StatusCode,
        description: &'static str,
        media_type: &'static str,
    ) -> Self {
        self.answer(status, description, Content::Other(media_type))
    }

    /// A success without a body.
    #[must_use]
    pub fn answers_nothing(self, status: StatusCode, description: &'static str) -> Self {
        self.answer(status, description, Content::Nothing)
    }

    fn answer(mut self, status: StatusCode, description: &'static str, content: Content) -> Self {
        self.answers.push(AnswerDoc {
            status,
            description,
            content,
        });
        self
    }

    /// Codes of problems that it may answer with, beside those that every route may.
    #[must_use]
    pub fn codes(mut self, codes: &[Code]) -> Self {
        self.codes.extend_from_slice(codes);
        self
    }
}
