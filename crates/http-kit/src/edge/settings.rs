//! What an edge is made of.

use std::time::Duration;

use yoi_protocol::{BootId, Origin, RuntimeId};

use super::{OriginGuard, TokenSet};
use crate::openapi::RouteTable;

/// What a Runtime calls itself in every answer.
#[derive(Debug, Clone)]
pub struct SourceNames {
    /// The Runtime. A request that names another is refused.
    pub runtime_id: RuntimeId,
    /// This start of it.
    pub boot_id: BootId,
}

/// What [`edge`](super::edge()) puts round a router.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// Who answers: the origin of problems that nobody else is named for.
    pub me: Origin,
    /// Set for a Runtime: it names itself in every answer, and refuses what is addressed to
    /// another.
    pub source: Option<SourceNames>,
    /// Which Hosts, Origins and fetch metadata are let in.
    pub guard: OriginGuard,
    /// Who may ask. Empty: everyone, as the principal `local`.
    pub tokens: TokenSet,
    /// The most requests that are being answered at a time.
    pub max_requests: usize,
    /// The largest body of a request, in bytes.
    pub max_body_bytes: u64,
    /// How long the body of a request may take to arrive.
    pub body_timeout: Duration,
    /// The routes behind the edge: tells which operation a request asks for.
    pub routes: RouteTable,
}

/// How much of a body is read, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyBounds {
    pub(crate) max_bytes: u64,
    pub(crate) timeout: Duration,
}
