//! Whether a Runtime can be checked as it was asked for.

use tokio::time::{Instant, timeout_at};
use yoi_protocol::{Code, CreateWorker, Reason, RuntimeState};

use super::Bench;
use crate::error::{CheckError, ProfileError};
use crate::subject::Subject as _;

impl Bench {
    /// Looks whether the Runtime takes commands, and has the profiles that were named. Where the
    /// time is over before that is known the checks say so, each of them.
    pub(crate) async fn can_be_used(&self, until: Instant) -> Result<(), CheckError> {
        if self.info.status == RuntimeState::Draining {
            return Err(CheckError::Draining);
        }
        let has_all = timeout_at(until, self.has_profiles()).await;
        self.tidy().await;
        has_all.unwrap_or(Ok(()))
    }

    async fn has_profiles(&self) -> Result<(), CheckError> {
        self.has(self.profile.as_ref()).await?;
        match &self.long_profile {
            Some(long) => self.has(Some(long)).await,
            None => Ok(()),
        }
    }

    /// Creates a Worker of a profile. Only a refusal that names the profile is one of it: what
    /// else goes wrong is for the checks to tell.
    async fn has(&self, profile: Option<&String>) -> Result<(), CheckError> {
        let listed = &self.info.profiles;
        let is_listed = |name: &String| listed.iter().any(|one| one.name == *name);
        let none = || ProfileError {
            name: profile.cloned(),
            published: listed
                .iter()
                .map(|one| self.scrub.line(&one.name))
                .collect(),
        };
        if !listed.is_empty() && !profile.is_none_or(is_listed) {
            return Err(CheckError::Profile(none()));
        }
        let body = CreateWorker {
            profile: profile.cloned(),
            ..self.body()
        };
        let Err(failure) = self.subject.create(&body, None).await else {
            return Ok(());
        };
        let mut fields = failure.details.errors.iter();
        let is_at_profile = fields.any(|one| one.pointer == "/profile");
        let is_draining = failure.details.reason == Some(Reason::Draining);
        match failure.code {
            Code::InvalidRequest if is_at_profile => Err(CheckError::Profile(none())),
            Code::Unavailable => Err(CheckError::Draining),
            Code::RuntimeUnavailable if is_draining => Err(CheckError::Draining),
            _ => Ok(()),
        }
    }
}
