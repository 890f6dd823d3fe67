use std::{
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::{body::Bytes, http::StatusCode};
use serde_json::value::RawValue;
use tokio::time::{MissedTickBehavior, interval};

use crate::{engine::HealthError, methods::Service};

/// The answers to `/health` and `/metrics`, made once per second and served from that copy.
///
/// To make them costs the core's time and kilobytes for a request of a few bytes. So nobody can have them made more often,
/// and a core that does not respond cannot look healthy: the copy ages, and `/health` is 503.
#[derive(Debug)]
pub(crate) struct Monitor {
    /// A copy that is older than this is not served.
    age: Duration,
    health: RwLock<Option<Health>>,
    metrics: Mutex<Option<(Instant, Bytes)>>,
}

/// An answer to `/health`.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    made: Instant,
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// How often the copies are made.
const EVERY: Duration = Duration::from_secs(1);

impl Monitor {
    pub(crate) const fn new(age: Duration) -> Self {
        Self { age, health: RwLock::new(None), metrics: Mutex::new(None) }
    }

    /// Makes the copy of `/health` again and again.
    pub(crate) async fn run(service: &Service) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            service.monitor.refresh(service).await;
        }
    }

    /// Makes the copy of `/health`. It does not use the kept status, which others then would get at the age of this copy. If
    /// the core or the store does not respond in time, the copy stays and ages.
    pub(crate) async fn refresh(&self, service: &Service) {
        match service.health().await {
            Err(HealthError::Slow { .. }) => {}
            Err(error) => self.keep(Health::failed(&error)),
            Ok(()) => {
                let status = service.public_status().await.ok();
                self.keep(Health::of(Ok(()), status.as_deref()));
            }
        }
    }

    fn keep(&self, health: Health) {
        *self.health.write().unwrap_or_else(PoisonError::into_inner) = Some(health);
    }

    /// Returns the copy of `/health`.
    pub(crate) fn health(&self) -> Health {
        let health = self.health.read().unwrap_or_else(PoisonError::into_inner).clone();
        health
            .filter(|health| health.made.elapsed() <= self.age)
            .unwrap_or_else(|| Health::failed(&HealthError::Slow { limit_ms: self.age.as_millis() }))
    }

    /// Returns the copy of `/metrics`, made now if it is older than a second.
    pub(crate) fn metrics(&self, service: &Service) -> Bytes {
        let mut copy = self.lock();
        if let Some((made, text)) = &*copy
            && made.elapsed() < EVERY
        {
            return text.clone();
        }
        let text = Bytes::from(service.metrics.text());
        *copy = Some((Instant::now(), text.clone()));
        text
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Bytes)>> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Health {
    /// The pool's health now.
    pub(crate) async fn now(service: &Service) -> Self {
        let probed = service.health().await;
        // A pool that is not well may not answer.
        let status = if probed.is_ok() { service.status(false).await.ok() } else { None };
        Self::of(probed, status.as_deref())
    }

    /// If the status is public, the answer includes it, because the original's pages read it there.
    fn of(probed: Result<(), HealthError>, status: Option<&RawValue>) -> Self {
        if let Err(error) = probed {
            return Self::failed(&error);
        }
        let body = match status.and_then(|status| status.get().strip_prefix('{')) {
            Some(fields) => format!(r#"{{"ok":true,{fields}"#),
            None => r#"{"ok":true}"#.to_owned(),
        };
        Self { made: Instant::now(), status: StatusCode::OK, body: body.into() }
    }

    /// Never 200 with an error (fault D44, docs/faults.md).
    fn failed(error: &HealthError) -> Self {
        let body = serde_json::json!({"ok": false, "error": error.to_string()}).to_string();
        Self { made: Instant::now(), status: StatusCode::SERVICE_UNAVAILABLE, body: body.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PoolLimits, methods::service::tests::service};

    #[tokio::test]
    async fn d44_a_copy_that_is_too_old_is_not_served() {
        let limits = PoolLimits { health: Duration::from_millis(10), ..PoolLimits::default() };
        let (service, _no_core_answers) = service(limits);
        let monitor = Monitor::new(Duration::from_millis(100));
        assert_eq!(monitor.health().status, StatusCode::SERVICE_UNAVAILABLE, "none was made");
        let well = |made| Health { made, status: StatusCode::OK, body: Bytes::from_static(b"{}") };
        let now = Instant::now();
        monitor.keep(well(now + Duration::from_secs(60)));
        monitor.refresh(&service).await;
        assert_eq!(monitor.health().status, StatusCode::OK, "the copy stays while the core is slow");
        monitor.keep(well(now.checked_sub(Duration::from_millis(101)).unwrap()));
        let old = monitor.health();
        assert_eq!(old.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(old.body.starts_with(br#"{"error":"the pool's core and store did not respond within 100 ms""#));
    }

    #[tokio::test]
    async fn metrics_are_made_once_per_second() {
        let (service, _reader) = service(PoolLimits::default());
        let first = service.monitor.metrics(&service);
        service.metrics.requests.inc();
        assert_eq!(service.monitor.metrics(&service), first);
    }
}
