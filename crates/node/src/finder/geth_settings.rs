use std::path::Path;

use vipnode_types::NodeId;

use crate::driver::answers::key_of;

/// Longer files of settings are not read.
const MAX_BYTES: u64 = 1 << 20;

/// The file that geth was started with (`--config`): the settings that matter here. Its flags override it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct GethSettings(toml::Table);

impl GethSettings {
    /// Reads a file; one that cannot be read, or is not TOML, sets nothing.
    pub(super) fn read(path: &Path) -> Self {
        let text = vipnode_files::read_text(path, MAX_BYTES).ok();
        Self(text.and_then(|text| toml::from_str(&text).ok()).unwrap_or_default())
    }

    pub(super) fn data_dir(&self) -> Option<&str> {
        self.text("DataDir")
    }

    /// A path, or a name in the data directory.
    pub(super) fn ipc_path(&self) -> Option<&str> {
        self.text("IPCPath")
    }

    /// The port of HTTP, or the usual one where only the host is set, which switches it on.
    pub(super) fn http_port(&self, usual: u16) -> Option<u16> {
        self.port("HTTPHost", "HTTPPort", usual)
    }

    /// As [`Self::http_port`], of WebSocket.
    pub(super) fn ws_port(&self, usual: u16) -> Option<u16> {
        self.port("WSHost", "WSPort", usual)
    }

    /// The peers that it names.
    pub(super) fn peers(&self) -> impl Iterator<Item = NodeId> {
        let network = self.node("P2P");
        let lists = ["StaticNodes", "TrustedNodes"].into_iter().filter_map(move |name| network?.get(name)?.as_array());
        lists.flatten().filter_map(|node| key_of(node.as_str()?))
    }

    fn node(&self, name: &str) -> Option<&toml::Value> {
        self.0.get("Node")?.get(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.node(name)?.as_str().filter(|text| !text.is_empty())
    }

    fn port(&self, host: &str, port: &str, usual: u16) -> Option<u16> {
        self.text(host)?;
        match self.node(port) {
            Some(number) => u16::try_from(number.as_integer()?).ok().filter(|port| *port != 0),
            None => Some(usual),
        }
    }
}
