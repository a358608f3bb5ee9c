//! Points in time as the wire has them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: RFC 3339 in UTC with `Z`, in whole milliseconds.
///
/// Milliseconds are what both ends keep, so a value survives any number of round trips unchanged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Timestamp(jiff::Timestamp);

/// A text that is not an RFC 3339 time in UTC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a time must be RFC 3339 in UTC, like 2026-01-31T08:00:00.000Z")]
pub struct TimestampError;

impl Timestamp {
    /// The present, by the machine's clock.
    #[must_use]
    pub fn now() -> Self {
        Self::from_unix_ms(jiff::Timestamp::now().as_millisecond())
    }

    /// The time `ms` milliseconds after 1970-01-01T00:00:00Z; clamped to the years −9999 to 9999.
    #[must_use]
    pub fn from_unix_ms(ms: i64) -> Self {
        let nearest = if ms < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        };
        Self(jiff::Timestamp::from_millisecond(ms).unwrap_or(nearest))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn as_unix_ms(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Milliseconds from `earlier` to this time, 0 when it is not earlier.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> u64 {
        u64::try_from(self.as_unix_ms().saturating_sub(earlier.as_unix_ms())).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        if !text.ends_with('Z') {
            return Err(TimestampError);
        }
        let exact: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        Ok(Self::from_unix_ms(exact.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
