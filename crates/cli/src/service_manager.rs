//! The service manager that started this process: systemd, for a unit of `Type=notify`. Elsewhere all of this does nothing.

use std::{
    sync::{
        OnceLock,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

/// Heartbeats in a watchdog's time: one may be late.
const BEATS: u32 = 3;
/// The shortest time between two heartbeats, whatever the service manager asks for.
const SHORTEST_BEAT: Duration = Duration::from_millis(250);
/// Notices that wait for a service manager that does not read; beyond it, notices are dropped.
const WAITING_NOTICES: usize = 4;

/// How long a stop waits until its notice was sent.
const FAREWELL: Duration = Duration::from_millis(250);

/// Sends heartbeats to the watchdog of the service manager until it is dropped.
pub(crate) struct Heartbeat {
    _task: Option<AbortOnDropHandle<()>>,
}

impl Heartbeat {
    /// Sends heartbeats for as long as the role answers. If none arrives within `WatchdogSec`, the service manager restarts
    /// the process.
    pub(crate) fn start<F>(answers: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let every = watchdog().and_then(|within| within.checked_div(BEATS)).map(|every| every.max(SHORTEST_BEAT));
        Self { _task: every.map(|every| AbortOnDropHandle::new(tokio::spawn(beat(every, answers)))) }
    }
}

async fn beat<F: Future<Output = bool> + Send>(every: Duration, mut answers: impl FnMut() -> F + Send) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if answers().await {
            notify(ServiceState::Watchdog);
        }
    }
}

/// The role serves: what depends on its unit may start.
pub(crate) fn ready() {
    notify(ServiceState::Ready);
}

/// The role undoes its changes and ends. The process may end soon, so this waits until the notice was sent, for a service manager
/// that does not read at most [`FAREWELL`].
pub(crate) fn stopping() {
    let (sent, is_sent) = sync_channel(1);
    if hand_over(ServiceState::Stopping, Some(sent)) {
        let _late = is_sent.recv_timeout(FAREWELL);
    }
}

fn notify(notice: ServiceState) {
    let _full = hand_over(notice, None);
}

/// A notice for the service manager, and who waits until it was sent.
#[cfg(unix)]
struct ServiceNotice {
    state: ServiceState,
    sent: Option<SyncSender<()>>,
}

#[derive(Debug, Clone, Copy)]
enum ServiceState {
    Ready,
    Stopping,
    Watchdog,
}

#[cfg(unix)]
fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// Hands a notice to a thread of its own, because the socket of a service manager that does not read blocks its writer. Returns
/// false if nobody listens, or if too many wait: the service manager would not read it.
#[cfg(unix)]
fn hand_over(state: ServiceState, sent: Option<SyncSender<()>>) -> bool {
    static SENDER: OnceLock<Option<SyncSender<ServiceNotice>>> = OnceLock::new();
    let sender = SENDER.get_or_init(|| {
        std::env::var_os("NOTIFY_SOCKET")?;
        let (sender, notices) = sync_channel::<ServiceNotice>(WAITING_NOTICES);
        let run = move || {
            for ServiceNotice { state, sent } in notices {
                send(state);
                let _nobody_waits = sent.map(|sent| sent.try_send(()));
            }
        };
        thread::Builder::new().name("service-manager".to_owned()).spawn(run).ok()?;
        Some(sender)
    });
    sender.as_ref().is_some_and(|sender| sender.try_send(ServiceNotice { state, sent }).is_ok())
}

#[cfg(unix)]
fn send(notice: ServiceState) {
    let state = match notice {
        ServiceState::Ready => sd_notify::NotifyState::Ready,
        ServiceState::Stopping => sd_notify::NotifyState::Stopping,
        ServiceState::Watchdog => sd_notify::NotifyState::Watchdog,
    };
    if let Err(error) = send_to_manager(&state) {
        tracing::warn!(%error, "cannot notify the service manager (NOTIFY_SOCKET)");
    }
}

/// sd_notify knows no abstract sockets, whose names begin with `@`.
#[cfg(target_os = "linux")]
fn send_to_manager(state: &sd_notify::NotifyState<'_>) -> std::io::Result<()> {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    };
    let socket = std::env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    match socket.as_encoded_bytes().strip_prefix(b"@") {
        Some(name) => {
            let address = SocketAddr::from_abstract_name(name)?;
            UnixDatagram::unbound()?.send_to_addr(state.to_string().as_bytes(), &address).map(drop)
        }
        None => sd_notify::notify(std::slice::from_ref(state)),
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn send_to_manager(state: &sd_notify::NotifyState<'_>) -> std::io::Result<()> {
    sd_notify::notify(std::slice::from_ref(state))
}

#[cfg(not(unix))]
fn watchdog() -> Option<Duration> {
    None
}

#[cfg(not(unix))]
fn hand_over(_state: ServiceState, _sent: Option<SyncSender<()>>) -> bool {
    false
}
