use std::path::{Path, PathBuf};

/// Where the places to look at depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The operating system.
    pub os: Os,
    /// The user's directory.
    pub home: Option<PathBuf>,
    /// `%LOCALAPPDATA%` of Windows.
    pub local_app_data: Option<PathBuf>,
}

/// Operating systems with default places of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// Linux and the other unixes.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Surroundings {
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
        Self { os, home, local_app_data: variable("LOCALAPPDATA") }
    }
}

/// Below the data directory of mainnet; the order in which they are looked at.
const CHAIN_DIRS: [&str; 4] = ["", "sepolia", "holesky", "hoodi"];

/// geth's default data directories: mainnet first, then the public test networks.
#[must_use]
pub fn data_dirs(surroundings: &Surroundings) -> Vec<PathBuf> {
    let base = match surroundings.os {
        Os::Linux => surroundings.home.as_ref().map(|home| home.join(".ethereum")),
        Os::MacOs => surroundings.home.as_ref().map(|home| home.join("Library").join("Ethereum")),
        Os::Windows => surroundings.local_app_data.as_ref().map(|data| data.join("Ethereum")),
    };
    let below = |base: &PathBuf| CHAIN_DIRS.map(|chain| if chain.is_empty() { base.clone() } else { base.join(chain) });
    base.iter().flat_map(below).collect()
}

/// Where geth puts its IPC file unless told otherwise. On Windows there is one pipe for all chains.
#[must_use]
pub fn ipc_paths(surroundings: &Surroundings) -> Vec<PathBuf> {
    match surroundings.os {
        Os::Windows => vec![PathBuf::from(r"\\.\pipe\geth.ipc")],
        Os::Linux | Os::MacOs => data_dirs(surroundings).iter().map(|dir| dir.join("geth.ipc")).collect(),
    }
}

/// Where geth keeps its node key in a data directory: a key at the older place wins.
pub(super) fn key_paths(data_dir: &Path) -> [PathBuf; 2] {
    [data_dir.join("nodekey"), data_dir.join("geth").join("nodekey")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(os: Os) -> Vec<String> {
        let surroundings = Surroundings { os, home: Some("/h".into()), local_app_data: Some("/l".into()) };
        ipc_paths(&surroundings).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn geths_places() {
        let below = |base: &str| ["", "/sepolia", "/holesky", "/hoodi"].map(|chain| format!("{base}{chain}/geth.ipc"));
        assert_eq!(on(Os::Linux), below("/h/.ethereum"));
        assert_eq!(on(Os::MacOs), below("/h/Library/Ethereum"));
        assert_eq!(on(Os::Windows), [r"\\.\pipe\geth.ipc"]);
    }

    #[test]
    fn without_a_home_there_is_nothing_to_guess() {
        let surroundings = Surroundings { os: Os::Linux, home: None, local_app_data: None };
        assert!(ipc_paths(&surroundings).is_empty() && data_dirs(&surroundings).is_empty());
    }

    #[test]
    fn the_older_place_of_the_key_wins() {
        let [first, second] = key_paths(Path::new("/d"));
        assert_eq!((first, second), ("/d/nodekey".into(), "/d/geth/nodekey".into()));
    }
}
