//! Closed-loop load: each socket sends its next message once the last one is answered.

use std::{cell::Cell, io, rc::Rc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::{JoinSet, spawn_local, yield_now},
    time::{Instant, sleep},
};

use super::{machine, ws_client::WsClient};

/// Sockets under load, each with its source of messages.
pub(crate) struct Load<M> {
    pub(crate) wires: Vec<(WsClient, M)>,
    /// How many of them have a call under way; the others wait for their turn.
    pub(crate) under_way: usize,
}

/// Operations, and the CPU time and wall time they took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MeasuredRate {
    pub(crate) done: u64,
    pub(crate) cpu_ns: u64,
    pub(crate) wall_ns: u64,
}

impl MeasuredRate {
    /// Operations per CPU-second of the server.
    pub(crate) fn per_cpu_second(&self) -> u64 {
        scaled(self.done, 1_000_000_000, self.cpu_ns)
    }

    /// The share of its CPU core that the server used, in percent.
    pub(crate) fn busy_percent(&self) -> u64 {
        scaled(self.cpu_ns, 100, self.wall_ns)
    }
}

/// `a × b / c`, rounded down; 0 if `c` is 0.
pub(crate) fn scaled(a: u64, b: u64, c: u64) -> u64 {
    let product = u128::from(a).saturating_mul(u128::from(b));
    product.checked_div(u128::from(c)).and_then(|scaled| scaled.try_into().ok()).unwrap_or_default()
}

/// The median, the upper one of two.
pub(crate) fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The value that `percent` percent of the values do not exceed.
pub(crate) fn percentile(mut values: Vec<u64>, percent: usize) -> u64 {
    values.sort_unstable();
    values.get((values.len() * percent / 100).min(values.len().saturating_sub(1))).copied().unwrap_or_default()
}

impl<M> Load<M> {
    /// Sockets that all have a call under way.
    pub(crate) const fn of_all(wires: Vec<(WsClient, M)>) -> Self {
        let under_way = wires.len();
        Self { wires, under_way }
    }
}

impl<M: LoadMessage + 'static> Load<M> {
    /// Loads a server for a while after a short warm-up; returns the sockets.
    pub(crate) async fn run(self, pid: u32, time: Duration) -> io::Result<(Self, MeasuredRate)> {
        let (stop, done) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0_u64)));
        let (mut tasks, turns) = (JoinSet::new(), Rc::new(Semaphore::new(self.under_way)));
        for (wire, message) in self.wires {
            let counted = (Rc::clone(&stop), Rc::clone(&done));
            tasks.spawn_local(closed_loop(wire, message, Rc::clone(&turns), counted));
        }
        stay_awake(&stop);
        sleep(time / 4).await;
        let (done_before, cpu_before, began) = (done.get(), machine::cpu_ns(pid)?, Instant::now());
        sleep(time).await;
        let wall = began.elapsed().as_nanos();
        let rate = MeasuredRate {
            done: done.get().saturating_sub(done_before),
            cpu_ns: machine::cpu_ns(pid)?.saturating_sub(cpu_before),
            wall_ns: u64::try_from(wall).unwrap_or(u64::MAX),
        };
        stop.set(true);
        let mut wires = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            wires.push(ended.map_err(io::Error::other)??);
        }
        Ok((Self { wires, under_way: self.under_way }, rate))
    }
}

/// Keeps this thread from sleeping until the load stops. Otherwise, an answer would pay for waking it, by an interrupt of another
/// core, on the CPU of the server; a client on another machine costs its server nothing of that kind.
fn stay_awake(stop: &Rc<Cell<bool>>) {
    let stop = Rc::clone(stop);
    spawn_local(async move {
        while !stop.get() {
            yield_now().await;
        }
    });
}

/// The source of a socket's messages.
pub(crate) trait LoadMessage {
    /// The next frame; `None` if there are none left, which fails the benchmark.
    fn next(&mut self) -> Option<Vec<u8>>;
    /// Whether an answer is as expected.
    fn accepts(&self, answer: &str) -> bool;
}

async fn closed_loop<M: LoadMessage>(
    mut wire: WsClient,
    mut message: M,
    turns: Rc<Semaphore>,
    (stop, done): (Rc<Cell<bool>>, Rc<Cell<u64>>),
) -> io::Result<(WsClient, M)> {
    loop {
        // Fair: the socket that waited longest is next.
        let _turn = turns.acquire().await.map_err(io::Error::other)?;
        if stop.get() {
            return Ok((wire, message));
        }
        let frame = message.next().ok_or_else(|| io::Error::other("there are too few frames for the time"))?;
        wire.send_frame(&frame).await?;
        let answer = wire.next().await?;
        if !message.accepts(answer) {
            return Err(io::Error::other(format!("a bad answer: {answer}")));
        }
        done.set(done.get().saturating_add(1));
    }
}
