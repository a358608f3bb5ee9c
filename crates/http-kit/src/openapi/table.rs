//! All routes of a server.

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};
use utoipa::ToSchema;
use yoi_protocol::{Code, Operation};

use super::route::{RouteDoc, TypeDoc};

/// A route, and all the ways in which it is documented to answer: what clients rely on, and what a
/// server's tests are held to show.
///
/// ```
/// use http::StatusCode;
/// use yoi_http_kit::{RouteDoc, RouteTable};
/// use yoi_protocol::Code;
///
/// let ping = RouteDoc::get("/ping", "ping", "Answers").open();
/// let table = RouteTable::new(vec![ping.answers_nothing(StatusCode::OK, "Pong")]);
/// let route = table.documented().next().expect("there is one");
/// assert_eq!(route.path, "/ping");
/// assert_eq!(route.successes, [StatusCode::OK]);
/// assert_eq!(route.codes, [Code::ForbiddenOrigin]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentedRoute {
    /// The method.
    pub method: Method,
    /// The template of the path.
    pub path: &'static str,
    /// The statuses of its successes, in the order in which they were told.
    pub successes: Vec<StatusCode>,
    /// The codes of its problems, its own and those of every route, in the order of the codes.
    pub codes: Vec<Code>,
}

/// All routes of a server. Cheap to clone.
#[derive(Clone, Default)]
pub struct RouteTable {
    pub(super) routes: Arc<[RouteDoc]>,
    pub(super) extra: Arc<[TypeDoc]>,
    pub(super) names_source: bool,
}

impl RouteTable {
    /// The table of these routes.
    #[must_use]
    pub fn new(routes: Vec<RouteDoc>) -> Self {
        Self {
            routes: routes.into(),
            extra: Arc::default(),
            names_source: false,
        }
    }

    /// The table, with a type that no body shows but clients need, like the frames of a stream.
    #[must_use]
    pub fn with_type<T: ToSchema>(mut self) -> Self {
        let mut extra = self.extra.to_vec();
        extra.push(TypeDoc::of::<T>());
        self.extra = extra.into();
        self
    }

    /// The table of a Runtime, which names itself in every answer and refuses what is addressed to
    /// another.
    #[must_use]
    pub fn naming_the_source(mut self) -> Self {
        self.names_source = true;
        self
    }

    /// Every route as its method and the template of its path, in the order of the table.
    pub fn entries(&self) -> impl Iterator<Item = (&Method, &'static str)> {
        self.routes.iter().map(|route| (&route.method, route.path))
    }

    /// Every route with the successes and the codes that the document tells of, in the order of
    /// the table.
    pub fn documented(&self) -> impl Iterator<Item = DocumentedRoute> {
        self.routes.iter().map(|route| DocumentedRoute {
            method: route.method.clone(),
            path: route.path,
            successes: route.answers.iter().map(|answer| answer.status).collect(),
            codes: self.codes(route).into_iter().collect(),
        })
    }

    /// What a request with this method asks of a route; `HEAD` asks for what `GET` does.
    #[must_use]
    pub fn operation(&self, method: &Method, path: &str) -> Option<Operation> {
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        self.routes
            .iter()
            .find(|route| route.path == path && route.method == *method)
            .and_then(|route| route.operation)
    }
}

impl fmt::Debug for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}
