//! What reqwest's errors mean. Its texts show the URL, so none of them goes any further.

use std::error::Error;
use std::io;

use super::TransportFault;

/// A fault before the head of the answer was there.
pub(super) fn of_head(error: &reqwest::Error, secure: bool) -> TransportFault {
    if error.is_connect() {
        of_connect(error, secure)
    } else {
        of_exchange(error)
    }
}

/// A fault in the body of the answer.
pub(super) fn of_body(error: &reqwest::Error) -> TransportFault {
    of_exchange(error)
}

/// reqwest's connector resolves, connects and shakes hands in one step. Only the last of these
/// can fail with anything but what `connect` itself reports, and only where there is TLS.
fn of_connect(error: &reqwest::Error, secure: bool) -> TransportFault {
    if error.is_dns() {
        return TransportFault::Dns;
    }
    if error.is_timeout() {
        return TransportFault::ConnectTimedOut;
    }
    if secure && (find::<rustls::Error>(error).is_some() || !is_from_connect(error)) {
        return TransportFault::Tls;
    }
    TransportFault::Refused
}

/// Whether the innermost I/O error is one that connecting a socket can end in.
fn is_from_connect(error: &reqwest::Error) -> bool {
    find::<io::Error>(error).is_some_and(|io| {
        matches!(
            io.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NetworkDown
                | io::ErrorKind::AddrNotAvailable
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::InvalidInput
        )
    })
}

fn of_exchange(error: &reqwest::Error) -> TransportFault {
    let garbled = find::<hyper::Error>(error).is_some_and(is_garbled)
        || find::<io::Error>(error).is_some_and(|io| {
            matches!(
                io.kind(),
                // What hyper makes of a chunk size or a trailer that is none.
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            )
        });
    if garbled {
        TransportFault::NotHttp
    } else {
        TransportFault::Reset
    }
}

/// Whether the far end said something that HTTP does not have. hyper has no word for a far end
/// that speaks before it is asked, so that is what remains: no cause, and none of the others.
fn is_garbled(error: &hyper::Error) -> bool {
    let ended = error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || error.is_body_write_aborted()
        || error.is_shutdown()
        || error.is_timeout()
        || error.is_user();
    error.is_parse() || (!ended && error.source().is_none())
}

/// The innermost error of a type in a chain of sources, looking also into what `io::Error` wraps
/// and, being transparent about its source, does not list.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut found = None;
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(this) = error.downcast_ref::<T>() {
            found = Some(this);
        }
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    found
}
