#[cfg(unix)]
use std::io::{self, IsTerminal as _};
use std::{sync::Arc, time::Duration};

#[cfg(unix)]
use tokio::time::timeout_at;
use tokio::{sync::Notify, time::Instant};
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
///
/// SIGHUP also reports that the terminal was closed. Nobody would read the output from then on, so that counts as the first
/// signal to end. A process without a terminal (a service, or one under nohup) only reads its files again.
#[derive(Debug)]
pub(crate) struct ReloadSignals {
    asked: Arc<Notify>,
}

impl ReloadSignals {
    /// Begins to listen. A closed terminal is reported to `signals`.
    pub(crate) fn listen(signals: &Signals) -> Result<Self, CliError> {
        let asked = Arc::new(Notify::new());
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let hangup = signal(SignalKind::hangup()).map_err(|error| CommandError::Signals { error })?;
            tokio::spawn(watch_hangups(hangup, OwnTerminal::now(), signals.first.clone(), asked.clone()));
        }
        #[cfg(not(unix))]
        let _without_hangups = signals;
        Ok(Self { asked })
    }

    /// Waits for the next SIGHUP that asks to read files again.
    pub(crate) async fn next(&mut self) {
        self.asked.notified().await;
    }
}

/// A terminal that is about to be closed is closed within this time after SIGHUP: the shell may pass SIGHUP on before that.
#[cfg(unix)]
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Distinguishes SIGHUP of a closed terminal from one that asks to read files again.
#[cfg(unix)]
async fn watch_hangups(
    mut hangup: tokio::signal::unix::Signal,
    terminal: OwnTerminal,
    stop: CancellationToken,
    asked: Arc<Notify>,
) {
    let mut look_again: Option<Instant> = None;
    loop {
        let heard = match look_again {
            Some(at) => timeout_at(at, hangup.recv()).await.ok(),
            None => Some(hangup.recv().await),
        };
        match heard {
            _ if terminal.is_gone() => {
                stop.cancel();
                return;
            }
            Some(Some(())) => asked.notify_one(),
            Some(None) => return,
            None => {}
        }
        look_again = heard.map(|_| Instant::now() + LOOK_AGAIN);
    }
}

/// The terminal of this process, by its standard input, output, and error.
#[cfg(unix)]
#[derive(Debug, Clone, Copy)]
struct OwnTerminal([bool; 3]);

#[cfg(unix)]
impl OwnTerminal {
    fn now() -> Self {
        Self([io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()])
    }

    /// Whether one of the three was a terminal that is closed now.
    fn is_gone(self) -> bool {
        let Self(now) = Self::now();
        self.0.into_iter().zip(now).any(|(was, is)| was && !is)
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
