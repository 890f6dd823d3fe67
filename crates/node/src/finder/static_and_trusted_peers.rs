use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use vipnode_types::NodeId;

use super::{FinderEnvironment, running_clients};
use crate::{Endpoint, Node, driver::answers::key_of};

/// Longer files of settings are not read.
const MAX_SETTINGS_FILE: u64 = 1 << 20;
/// Peers that are read; further ones are ignored.
const MAX_KEPT: usize = 1_024;

/// Static and trusted peers of a node by its own settings. No call lists those that are not connected, so they are read
/// from files: the `config.toml` that a running geth on this machine was started with, and `static-nodes.json` and
/// `trusted-nodes.json` in the node's data directory. Entries written as ENR are ignored, and so is a file that
/// cannot be read. Empty for a node on another machine.
pub async fn kept_peers(node: &dyn Node, endpoint: &Endpoint, environment: &FinderEnvironment) -> BTreeSet<NodeId> {
    if !endpoint.is_local() {
        return BTreeSet::new();
    }
    let ipc_dir = match endpoint {
        Endpoint::Ipc(path) => path.parent().map(PathBuf::from),
        _ => None,
    };
    let data_dir = node.data_dir().await.or(ipc_dir);
    let mut kept = BTreeSet::new();
    for running in running_clients::running(environment) {
        let same_dir = data_dir.is_some() && running.data_dir == data_dir;
        if same_dir || running.endpoints.contains(endpoint) {
            kept.extend(running.settings.peers());
        }
    }
    for dir in data_dir.iter().flat_map(|dir| [dir.clone(), dir.join("geth")]) {
        for name in ["static-nodes.json", "trusted-nodes.json"] {
            let nodes: Option<Vec<String>> = read(&dir.join(name)).and_then(|text| serde_json::from_str(&text).ok());
            kept.extend(nodes.unwrap_or_default().iter().filter_map(|node| key_of(node)));
        }
    }
    kept.into_iter().take(MAX_KEPT).collect()
}

fn read(path: &Path) -> Option<String> {
    vipnode_files::read_text(path, MAX_SETTINGS_FILE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{SimNet, SimSpec};

    fn id(byte: u8) -> NodeId {
        NodeId::new([byte; 64])
    }

    fn enode(byte: u8) -> String {
        format!("enode://{}@10.0.0.1:30303", id(byte))
    }

    /// A process table with a geth that was started with these arguments.
    fn process(dir: &Path, arguments: &[&str]) {
        std::fs::create_dir_all(dir.join("7")).unwrap();
        std::fs::write(dir.join("7/cmdline"), [&["geth"], arguments].concat().join("\0")).unwrap();
    }

    #[tokio::test]
    async fn peers_are_read_from_the_files_of_this_node_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (data, table) = (dir.path().join("data"), dir.path().join("proc"));
        std::fs::create_dir_all(data.join("geth")).unwrap();
        std::fs::write(data.join("geth/static-nodes.json"), format!("[\"{}\", 1]", enode(1))).unwrap();
        std::fs::write(data.join("trusted-nodes.json"), format!("[\"{}\", \"enr:-x\"]", enode(2))).unwrap();
        let config = dir.path().join("config.toml");
        let lists = format!("[Node.P2P]\nStaticNodes = [\"{}\"]\nTrustedNodes = [\"{}\", 5]\n", enode(3), enode(4));
        std::fs::write(&config, &lists).unwrap();
        let environment = FinderEnvironment { processes: Some(table.clone()), ..FinderEnvironment::here() };
        let node = SimNet::new().add(SimSpec::new("a", 1));
        let endpoint = Endpoint::Ipc(data.join("geth.ipc"));
        let kept = async || kept_peers(&*node, &endpoint, &environment).await;

        // A list with an entry that is not a string is ignored as a whole.
        assert_eq!(kept().await, [id(2)].into());
        std::fs::write(data.join("geth/static-nodes.json"), format!("[\"{}\"]", enode(1))).unwrap();
        process(&table, &["--config", config.to_str().unwrap(), "--datadir", "/other"]);
        assert_eq!(kept().await, [id(1), id(2)].into(), "another node's settings");
        process(&table, &["--config", config.to_str().unwrap(), "--datadir", data.to_str().unwrap()]);
        assert_eq!(kept().await, [id(1), id(2), id(3), id(4)].into());
        process(&table, &["--config", config.to_str().unwrap()]);
        assert_eq!(kept().await, [id(1), id(2)].into());
        std::fs::write(&config, format!("[Node]\nDataDir = {data:?}\n{lists}")).unwrap();
        assert_eq!(kept().await, [id(1), id(2), id(3), id(4)].into());
    }
}
