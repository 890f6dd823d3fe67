//! What the system tells about processes: CPU time, memory, cores.

use std::{
    fs, io,
    process::{Command, Stdio},
};

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
};

/// The core of the load generator.
pub(crate) const GENERATOR: usize = 0;
/// The core of whatever is measured.
pub(crate) const MEASURED: usize = 1;

/// Ties this process, and the threads that it will start, to one core.
pub(crate) fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core % cores().max(1));
    Ok(sched_setaffinity(None, &set)?)
}

/// How the system's scheduler takes a process.
///
/// A low priority does not do: since Linux 6.6 whoever runs keeps its slice of up to 4 ms however much more urgent
/// the one is that wakes, and such slices are what is measured then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Runs as soon as it can, before all others of its core.
    First,
    /// As any process, whoever started it.
    Ordinary,
    /// Runs only where nobody else wants to, and stops at once when somebody does.
    Last,
}

impl Urgency {
    /// Takes effect for this process and the threads that it will start; for [`Urgency::First`] one needs to be root.
    pub(crate) fn take(self) -> io::Result<()> {
        let policy: &[&str] = match self {
            Self::First => &["--fifo", "--pid", "50"],
            Self::Ordinary => &["--other", "--pid", "0"],
            Self::Last => &["--idle", "--pid", "0"],
        };
        let mut command = Command::new("chrt");
        let status = command.args(policy).arg(std::process::id().to_string()).stdin(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?} failed"))) }
    }
}

/// Takes as many open files as the system gives.
pub(crate) fn raise_open_files() -> io::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// CPU time that all threads of a process have used, in nanoseconds.
pub(crate) fn cpu_ns(pid: u32) -> io::Result<u64> {
    let mut sum = 0_u64;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let ns: u64 = text.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or_default();
        sum = sum.saturating_add(ns);
    }
    Ok(sum)
}

/// Anonymous memory that a process holds, in bytes: its heap and its stacks, without what it maps from
/// files and without the kernel's memory for its sockets.
pub(crate) fn user_bytes(pid: u32) -> io::Result<u64> {
    kib(&fs::read_to_string(format!("/proc/{pid}/status"))?, "RssAnon:")
}

/// Memory of the kernel for all objects that it caches, sockets among them, in bytes.
pub(crate) fn kernel_bytes() -> io::Result<u64> {
    let slab = kib(&fs::read_to_string("/proc/meminfo")?, "Slab:")?;
    Ok(slab.saturating_add(socket_buffer_bytes()?))
}

/// Bytes of data in the buffers of TCP sockets.
fn socket_buffer_bytes() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/net/sockstat")?;
    let mut words = text.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default().split(' ');
    let pages: u64 = words.find(|word| *word == "mem").and_then(|_| words.next()?.parse().ok()).unwrap_or_default();
    Ok(pages.saturating_mul(4_096))
}

fn kib(text: &str, name: &str) -> io::Result<u64> {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    let kib: Option<u64> = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok());
    kib.map(|kib| kib.saturating_mul(1_024)).ok_or_else(|| io::Error::other(format!("the system does not tell {name}")))
}

/// Cores of this machine, whatever this process is tied to.
pub(crate) fn cores() -> usize {
    fs::read_to_string("/proc/cpuinfo").unwrap_or_default().lines().filter(|line| line.starts_with("processor")).count()
}

/// The processor's name.
pub(crate) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name")).unwrap_or_default();
    line.split(':').nth(1).unwrap_or("unknown processor").trim().to_owned()
}
