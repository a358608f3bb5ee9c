//! All routes of a server.

use std::fmt;
use std::sync::Arc;

use http::Method;
use utoipa::ToSchema;
use yoi_protocol::Operation;

use super::route::{RouteDoc, TypeDoc};

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
