//! What the operating system reports about processes: CPU time, memory, CPU cores.

use std::{
    fs, io,
    process::{Command, Stdio},
};

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
};
use tempfile::TempDir;

/// The CPU core of the load generator.
pub(crate) const GENERATOR: usize = 0;
/// The CPU core of the measured process.
pub(crate) const MEASURED: usize = 1;

/// A directory of the system's temporary directory; deleted when this is dropped.
pub(crate) fn temporary_dir() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("vipnode-bench-").tempdir()
}

/// Pins this process, and the threads it starts from now on, to one CPU core.
pub(crate) fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core % cores().max(1));
    Ok(sched_setaffinity(None, &set)?)
}

/// Lets this process, and the threads it starts from now on, run on all CPU cores.
pub(crate) fn unpin() -> io::Result<()> {
    let mut set = CpuSet::new();
    (0..cores()).for_each(|core| set.set(core));
    Ok(sched_setaffinity(None, &set)?)
}

/// A scheduling policy of Linux.
///
/// A low priority does not suffice: since Linux 6.6 a running process keeps its slice of up to 4 ms however urgent the
/// process that wakes, and such slices would be what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchedulingPolicy {
    /// Runs as soon as it is ready, before all others on its CPU core.
    RealTime,
    /// The default policy, whatever the parent process has.
    Normal,
    /// Runs only while nothing else wants to, and is preempted at once.
    Idle,
}

impl SchedulingPolicy {
    /// Applies the policy to this process and the threads it starts from now on; [`SchedulingPolicy::RealTime`] needs
    /// root.
    pub(crate) fn apply(self) -> io::Result<()> {
        let policy: &[&str] = match self {
            Self::RealTime => &["--fifo", "--pid", "50"],
            Self::Normal => &["--other", "--pid", "0"],
            Self::Idle => &["--idle", "--pid", "0"],
        };
        let mut command = Command::new("chrt");
        let status = command.args(policy).arg(std::process::id().to_string()).stdin(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?} failed"))) }
    }
}

/// Raises the limit of open files to the most that the system allows; returns it.
pub(crate) fn raise_open_files() -> io::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// CPU time used by all threads of a process, in ns.
pub(crate) fn cpu_ns(pid: u32) -> io::Result<u64> {
    let mut sum = 0_u64;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let ns: u64 = text.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or_default();
        sum = sum.saturating_add(ns);
    }
    Ok(sum)
}

/// Anonymous memory of a process, in bytes: its heap and stacks, without mapped files and without the kernel's memory
/// for its sockets.
pub(crate) fn user_bytes(pid: u32) -> io::Result<u64> {
    kib(&fs::read_to_string(format!("/proc/{pid}/status"))?, "RssAnon:")
}

/// The most memory that a process had so far, in bytes, with mapped files.
pub(crate) fn peak_bytes(pid: u32) -> io::Result<u64> {
    kib(&fs::read_to_string(format!("/proc/{pid}/status"))?, "VmHWM:")
}

/// Bytes that a process had written to disks so far.
pub(crate) fn written_bytes(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.trim().parse().ok())
        .ok_or_else(|| io::Error::other("the system does not report write_bytes"))
}

/// Kernel memory for all cached objects, including sockets, and for socket buffers, in bytes.
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
    kib.map(|kib| kib.saturating_mul(1_024))
        .ok_or_else(|| io::Error::other(format!("the system does not report {name}")))
}

/// CPU cores of this machine, wherever this process is pinned to.
pub(crate) fn cores() -> usize {
    fs::read_to_string("/proc/cpuinfo").unwrap_or_default().lines().filter(|line| line.starts_with("processor")).count()
}

/// The name of the processor.
pub(crate) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name")).unwrap_or_default();
    line.split(':').nth(1).unwrap_or("unknown processor").trim().to_owned()
}
