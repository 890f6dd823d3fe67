use std::path::{Path, PathBuf};

/// What the locations to look at depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinderEnvironment {
    /// The operating system.
    pub os: Os,
    /// The user's directory.
    pub home: Option<PathBuf>,
    /// `%LOCALAPPDATA%` of Windows.
    pub local_app_data: Option<PathBuf>,
    /// Where the system shows its processes as files: `/proc` of Linux.
    pub processes: Option<PathBuf>,
}

/// Operating systems with default locations of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// Linux and the other unixes.
    Linux,
    /// macOS.
    MacOs,
    /// Windows, where data directories are below `%APPDATA%` or `%LOCALAPPDATA%`.
    Windows,
}

impl FinderEnvironment {
    /// Of this process.
    #[must_use]
    pub fn here() -> Self {
        let os = match std::env::consts::OS {
            "macos" => Os::MacOs,
            "windows" => Os::Windows,
            _ => Os::Linux,
        };
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = variable(if os == Os::Windows { "USERPROFILE" } else { "HOME" });
        let processes = cfg!(target_os = "linux").then(|| PathBuf::from("/proc"));
        Self { os, home, local_app_data: variable("LOCALAPPDATA"), processes }
    }
}

/// Chains with a folder of their own below a client's data directory.
const TEST_CHAINS: [&str; 3] = ["sepolia", "holesky", "hoodi"];

/// Where a service on Linux keeps a client's data: no client's default, but what the guides to a staking machine have
/// people make (`--data-path=/var/lib/besu`, `--datadir /var/lib/nethermind`, …). Besu and Nethermind have no place of
/// their own otherwise: theirs is where they were unpacked or started.
const SERVICES: [&str; 6] = [
    "/var/lib/geth",
    "/var/lib/goethereum",
    "/var/lib/reth",
    "/var/lib/besu",
    "/var/lib/nethermind",
    "/var/lib/erigon",
];

/// Sockets in such locations; reth and Erigon have theirs elsewhere, and Nethermind's is off.
const SERVICE_SOCKETS: [&str; 3] = ["/var/lib/geth/geth.ipc", "/var/lib/goethereum/geth.ipc", "/var/lib/besu/besu.ipc"];

/// Default data directories of clients, of each client mainnet first, then the public test
/// networks; and those of services.
#[must_use]
pub fn data_dirs(environment: &FinderEnvironment) -> Vec<PathBuf> {
    let home = environment.home.as_deref();
    let (reth, erigon) = match environment.os {
        Os::Linux => {
            (home.map(|home| home.join(".local/share/reth")), home.map(|home| home.join(".local/share/erigon")))
        }
        Os::MacOs => (
            home.map(|home| home.join("Library/Application Support/reth")),
            home.map(|home| home.join("Library/Erigon")),
        ),
        Os::Windows => (None, None),
    };
    let reth_dirs = reth.map(|base| with_test_chains(base.join("mainnet"), &base)).unwrap_or_default();
    geth_dirs(environment)
        .into_iter()
        .chain(reth_dirs)
        .chain(erigon)
        .chain(of_services(environment, &SERVICES))
        .collect()
}

fn of_services(environment: &FinderEnvironment, locations: &'static [&str]) -> impl Iterator<Item = PathBuf> {
    let locations = if environment.os == Os::Linux { locations } else { &[] };
    locations.iter().map(PathBuf::from)
}

/// geth's alone.
fn geth_dirs(environment: &FinderEnvironment) -> Vec<PathBuf> {
    let base = match environment.os {
        Os::Linux => environment.home.as_ref().map(|home| home.join(".ethereum")),
        Os::MacOs => environment.home.as_ref().map(|home| home.join("Library/Ethereum")),
        Os::Windows => environment.local_app_data.as_ref().map(|data| data.join("Ethereum")),
    };
    base.map(|base| with_test_chains(base.clone(), &base)).unwrap_or_default()
}

fn with_test_chains(mainnet: PathBuf, base: &Path) -> Vec<PathBuf> {
    [mainnet].into_iter().chain(TEST_CHAINS.map(|chain| base.join(chain))).collect()
}

/// Where clients put their local socket by default, and where services have it. Besu's is there if
/// `--Xrpc-ipc-enabled` was given. On Windows geth and reth have one pipe for all chains.
#[must_use]
pub fn ipc_paths(environment: &FinderEnvironment) -> Vec<PathBuf> {
    if environment.os == Os::Windows {
        return [r"\\.\pipe\geth.ipc", r"\\.\pipe\reth.ipc"].map(PathBuf::from).to_vec();
    }
    let others = ["/tmp/reth.ipc", "/var/run/erigon.sock"].map(PathBuf::from);
    let geth = geth_dirs(environment).into_iter().map(|dir| dir.join("geth.ipc"));
    geth.chain(others).chain(of_services(environment, &SERVICE_SOCKETS)).collect()
}

/// Where clients keep their node key in a data directory: geth (a key at the older place wins; Erigon has it there
/// too), reth, Besu, Nethermind.
pub(super) fn key_paths(data_dir: &Path) -> [PathBuf; 5] {
    [
        data_dir.join("nodekey"),
        data_dir.join("geth").join("nodekey"),
        data_dir.join("discovery-secret"),
        data_dir.join("key"),
        data_dir.join("keystore").join("node.key.plain"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(os: Os, locations: fn(&FinderEnvironment) -> Vec<PathBuf>) -> Vec<String> {
        let environment =
            FinderEnvironment { os, home: Some("/h".into()), local_app_data: Some("/l".into()), processes: None };
        locations(&environment).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn local_sockets_of_each_system() {
        let below = |base: &str| ["", "/sepolia", "/holesky", "/hoodi"].map(|chain| format!("{base}{chain}/geth.ipc"));
        let others = ["/tmp/reth.ipc", "/var/run/erigon.sock"];
        for (os, base) in [(Os::Linux, "/h/.ethereum"), (Os::MacOs, "/h/Library/Ethereum")] {
            let paths = on(os, ipc_paths);
            assert_eq!(paths[..4], below(base));
            assert_eq!(paths[4..6], others);
            let services: &[&str] = if os == Os::Linux { &SERVICE_SOCKETS } else { &[] };
            assert_eq!(paths[6..], *services);
        }
        assert_eq!(on(Os::Windows, ipc_paths), [r"\\.\pipe\geth.ipc", r"\\.\pipe\reth.ipc"]);
    }

    #[test]
    fn data_directories_of_each_system() {
        let linux = on(Os::Linux, data_dirs);
        assert_eq!(linux[9..], SERVICES);
        assert_eq!(
            linux[4..9],
            ["mainnet", "sepolia", "holesky", "hoodi"]
                .map(|chain| format!("/h/.local/share/reth/{chain}"))
                .into_iter()
                .chain(["/h/.local/share/erigon".to_owned()])
                .collect::<Vec<_>>()
        );
        assert_eq!(on(Os::MacOs, data_dirs)[4], "/h/Library/Application Support/reth/mainnet");
        assert_eq!(on(Os::Windows, data_dirs)[..2], ["/l/Ethereum", "/l/Ethereum/sepolia"]);
    }

    #[test]
    fn without_a_home_only_places_outside_of_it_are_left() {
        let environment = FinderEnvironment { os: Os::Linux, home: None, local_app_data: None, processes: None };
        assert_eq!(data_dirs(&environment).len(), SERVICES.len());
        assert_eq!(ipc_paths(&environment).len(), 2 + SERVICE_SOCKETS.len());
    }

    #[test]
    fn keys_of_each_client() {
        let paths = key_paths(Path::new("/d")).map(|path| path.display().to_string());
        assert_eq!(
            paths,
            ["/d/nodekey", "/d/geth/nodekey", "/d/discovery-secret", "/d/key", "/d/keystore/node.key.plain"]
        );
    }
}
