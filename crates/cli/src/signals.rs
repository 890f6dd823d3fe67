use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{CliError, CommandError};

/// Ctrl-C and SIGTERM, which mean the same (fault D43, docs/faults.md): the first asks to undo everything and end, the
/// second ends at once. A repeat within [`REPEAT`] is the same signal.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    first: CancellationToken,
    second: CancellationToken,
}

impl Signals {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self, CliError> {
        let signals = Self { first: CancellationToken::new(), second: CancellationToken::new() };
        let failed = |error| CommandError::Signals { error };
        let mut terminate = Terminate::new().map_err(failed)?;
        let (first, second) = (signals.first.clone(), signals.second.clone());
        tokio::spawn(async move {
            terminate.heard().await;
            first.cancel();
            let at = Instant::now();
            while !is_second(at.elapsed()) {
                terminate.heard().await;
            }
            second.cancel();
        });
        Ok(signals)
    }

    /// Waits for the first signal.
    pub(crate) async fn first(&self) {
        self.first.cancelled().await;
    }

    /// Waits for the second signal.
    pub(crate) async fn second(&self) {
        self.second.cancelled().await;
    }
}

/// `timeout`, shells, and service managers signal a process and its group within moments.
const REPEAT: Duration = Duration::from_millis(250);

/// Whether a signal that comes this long after the first counts as a second one, not as a repetition of it.
fn is_second(after: Duration) -> bool {
    after >= REPEAT
}

/// SIGHUP, which asks to read files again. A process without such files does not listen for it, so that SIGHUP ends it.
pub(crate) struct ReloadSignals {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl ReloadSignals {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self, CliError> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let failed = |error| CommandError::Signals { error };
            Ok(Self { signal: signal(SignalKind::hangup()).map_err(failed)? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next SIGHUP.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if self.signal.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
struct Terminate {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Terminate {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn heard(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Terminate;

#[cfg(not(unix))]
impl Terminate {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn heard(&mut self) {
        let _cannot_listen = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_who_presses_twice_is_heard_twice() {
        assert!(!is_second(Duration::from_millis(249)));
        assert!(is_second(Duration::from_millis(250)));
    }
}
