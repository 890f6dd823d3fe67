use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use super::{FinderEnvironment, geth_settings::GethSettings};
use crate::Endpoint;

/// An execution client that runs on this machine, as its arguments describe it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Running {
    /// The client's name.
    pub(super) client: &'static str,
    /// Process ID of the client.
    pub(super) pid: u32,
    /// Where it takes calls by its arguments, the best first.
    pub(super) endpoints: Vec<Endpoint>,
    /// Its data directory, where its arguments name one.
    pub(super) data_dir: Option<PathBuf>,
    /// geth's file of settings; empty if it was not started with one.
    pub(super) settings: GethSettings,
}

/// Processes that are examined; further ones are ignored.
const MAX_PROCESSES: usize = 32_768;
/// Bytes of a process's arguments that are read; the rest is ignored.
const MAX_ARGUMENTS: u64 = 64 << 10;
/// Running clients that are looked at.
const MAX_RUNNING: usize = 16;

/// Execution clients that run here and whose arguments this user may read.
pub(super) fn running(environment: &FinderEnvironment) -> Vec<Running> {
    let Some(Ok(processes)) = environment.processes.as_ref().map(std::fs::read_dir) else { return Vec::new() };
    let read = |process: std::fs::DirEntry| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let line = arguments(&process.path().join("cmdline"))?;
        if !is_program(&process.path(), &line) {
            return None;
        }
        let folder = std::fs::read_link(process.path().join("cwd")).ok();
        let variables = arguments(&process.path().join("environ")).unwrap_or_default();
        understand(pid, &line, &variables, folder.as_deref())
    };
    processes.take(MAX_PROCESSES).filter_map(|process| read(process.ok()?)).take(MAX_RUNNING).collect()
}

/// Whether a process runs the program that its arguments name: any user can give a shell the name of a client. `true` if this
/// user may not see the program.
fn is_program(process: &Path, line: &[String]) -> bool {
    let Ok(program) = std::fs::read_link(process.join("exe")) else { return true };
    let program = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Also of another version, such as geth-1.17.5 behind a link, or of a file that was replaced since.
    let named = line.first().and_then(|named| Path::new(named).file_name());
    named.is_some_and(|named| program.contains(&*named.to_string_lossy()))
}

fn arguments(path: &Path) -> Option<Vec<String>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(MAX_ARGUMENTS).read_to_end(&mut bytes).ok()?;
    let words = bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    Some(words.collect())
}

/// What a client's arguments are called.
struct FlagNames {
    client: &'static str,
    data_dir: &'static [&'static str],
    ipc: &'static str,
    /// The file's name where the arguments name only the data directory; empty where IPC is off by default.
    ipc_file: &'static str,
    http: (&'static str, &'static str, u16),
    ws: (&'static str, &'static str, u16),
}

const GETH: FlagNames = FlagNames {
    client: "geth",
    data_dir: &["datadir"],
    ipc: "ipcpath",
    ipc_file: "geth.ipc",
    http: ("http", "http.port", 8_545),
    ws: ("ws", "ws.port", 8_546),
};
const RETH: FlagNames = FlagNames { client: "reth", ipc_file: "", ..GETH };
const ERIGON: FlagNames = FlagNames { client: "Erigon", ipc: "socket.url", ipc_file: "", ..GETH };
const BESU: FlagNames = FlagNames {
    client: "Besu",
    data_dir: &["data-path"],
    ipc: "Xrpc-ipc-path",
    ipc_file: "besu.ipc",
    http: ("rpc-http-enabled", "rpc-http-port", 8_545),
    ws: ("rpc-ws-enabled", "rpc-ws-port", 8_546),
};
const NETHERMIND: FlagNames = FlagNames {
    client: "Nethermind",
    data_dir: &["data-dir", "datadir", "dd"],
    ipc: "JsonRpc.IpcUnixDomainSocketPath",
    ipc_file: "",
    http: ("JsonRpc.Enabled", "JsonRpc.Port", 8_545),
    ws: ("JsonRpc.Enabled", "JsonRpc.WebSocketsPort", 8_545),
};

/// Commands of geth, reth, and Erigon that run no node.
const TOOLS: [&str; 17] = [
    "account",
    "attach",
    "config",
    "db",
    "download",
    "dump",
    "dumpconfig",
    "export",
    "help",
    "import",
    "init",
    "p2p",
    "removedb",
    "snapshot",
    "stage",
    "version",
    "wallet",
];

fn flag_names_of(line: &[String]) -> Option<&'static FlagNames> {
    if line.get(1).is_some_and(|command| TOOLS.contains(&command.as_str())) {
        return None;
    }
    let program = Path::new(line.first()?).file_name()?.to_str()?;
    match program {
        "geth" => Some(&GETH),
        "reth" => Some(&RETH),
        "erigon" => Some(&ERIGON),
        "besu" => Some(&BESU),
        "nethermind" | "Nethermind.Runner" => Some(&NETHERMIND),
        "java" if line.iter().any(|word| word == "org.hyperledger.besu.Besu") => Some(&BESU),
        "dotnet" if line.iter().any(|word| word.ends_with("nethermind.dll")) => Some(&NETHERMIND),
        _ => None,
    }
}

/// The variable that names geth's data directory.
const GETH_DATADIR: &str = "GETH_DATADIR=";
/// Where geth has its socket with `--dev` and without a data directory.
const DEV_SOCKET: &str = "/tmp/geth.ipc";

/// Reads a client's arguments and variables; relative paths are below `folder`.
fn understand(pid: u32, line: &[String], variables: &[String], folder: Option<&Path>) -> Option<Running> {
    let words = flag_names_of(line)?;
    let absolute = |text: &str| folder.map_or_else(|| PathBuf::from(text), |folder| folder.join(text));
    let is_geth = words.client == GETH.client;
    let variable = || variables.iter().filter(|_| is_geth).find_map(|word| word.strip_prefix(GETH_DATADIR));
    let named = words.data_dir.iter().find_map(|name| value(line, name));
    let settings = match value(line, "config").filter(|_| is_geth) {
        Some(file) => GethSettings::read(&absolute(file)),
        None => GethSettings::default(),
    };
    let named = named.or_else(variable).filter(|dir| !dir.is_empty());
    let data_dir = named.or_else(|| settings.data_dir()).map(absolute);
    let mut endpoints = Vec::new();
    if is_geth && data_dir.is_none() && is_on(line, "dev") {
        endpoints.push(PathBuf::from(DEV_SOCKET));
    }
    match value(line, words.ipc)
        .or_else(|| settings.ipc_path())
        .map(|text| text.strip_prefix("unix://").unwrap_or(text))
    {
        // geth puts a bare name into its data directory.
        Some(name) if !name.contains('/') => endpoints.extend(data_dir.as_ref().map(|dir| dir.join(name))),
        Some(path) => endpoints.push(absolute(path)),
        None if words.ipc_file.is_empty() => {}
        None => endpoints.extend(data_dir.as_ref().map(|dir| dir.join(words.ipc_file))),
    }
    let mut endpoints: Vec<Endpoint> = endpoints.into_iter().map(Endpoint::Ipc).collect();
    let (switch, port, usual) = words.http;
    let http = port_of(line, switch, port, usual).or_else(|| settings.http_port(usual));
    endpoints.extend(http.map(|port| Endpoint::Http(format!("http://127.0.0.1:{port}"))));
    let (switch, port, usual) = words.ws;
    let ws = port_of(line, switch, port, usual).or_else(|| settings.ws_port(usual));
    endpoints.extend(ws.map(|port| Endpoint::Ws(format!("ws://127.0.0.1:{port}"))));
    Some(Running { client: words.client, pid, endpoints, data_dir, settings })
}

/// The port, where the arguments speak of it or switch it on.
fn port_of(line: &[String], switch: &str, port: &str, usual: u16) -> Option<u16> {
    match value(line, port) {
        Some(text) => text.parse().ok(),
        None => is_on(line, switch).then_some(usual),
    }
}

fn is_on(line: &[String], name: &str) -> bool {
    line.iter().any(|word| bare(word).is_some_and(|word| word == name || word.strip_suffix("=true") == Some(name)))
}

/// `--name value` or `--name=value`; of several the last counts.
fn value<'a>(line: &'a [String], name: &str) -> Option<&'a str> {
    line.iter().enumerate().rev().find_map(|(place, word)| {
        let rest = bare(word)?.strip_prefix(name)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(value),
            None if rest.is_empty() => {
                line.get(place.saturating_add(1)).map(String::as_str).filter(|next| !next.starts_with('-'))
            }
            None => None,
        }
    })
}

/// A flag without its dashes.
fn bare(word: &str) -> Option<&str> {
    word.strip_prefix("--").or_else(|| word.strip_prefix('-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(line: &str) -> Option<(&'static str, Vec<String>)> {
        let line: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        let running = understand(7, &line, &[], Some(Path::new("/w")))?;
        Some((running.client, running.endpoints.iter().map(ToString::to_string).collect()))
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_only_calls_itself_a_client_is_none() {
        let process = tempfile::tempdir().unwrap();
        let line = |named: &str| [named.to_owned(), "--ipcpath".to_owned()];
        assert!(is_program(process.path(), &line("geth")), "this user may not see the program");
        let exe = process.path().join("exe");
        for (program, is) in [("/usr/bin/geth", true), ("/usr/bin/geth-1.17.5 (deleted)", true), ("/bin/sh", false)] {
            std::os::unix::fs::symlink(program, &exe).unwrap();
            assert_eq!(is_program(process.path(), &line("/opt/geth")), is, "{program}");
            std::fs::remove_file(&exe).unwrap();
        }
    }

    #[test]
    fn arguments_of_each_client() {
        for (line, client, endpoints) in [
            ("/usr/bin/geth --datadir /d", "geth", &["/d/geth.ipc"][..]),
            ("geth --datadir=d --ipcpath x.ipc", "geth", &["/w/d/x.ipc"]),
            (
                "geth -datadir /d --ipcpath /x.ipc --http --ws --ws.port 9",
                "geth",
                &["/x.ipc", "http://127.0.0.1:8545", "ws://127.0.0.1:9"],
            ),
            ("geth", "geth", &[]),
            ("geth --dev --http", "geth", &["/tmp/geth.ipc", "http://127.0.0.1:8545"]),
            ("geth --dev --datadir /d", "geth", &["/d/geth.ipc"]),
            ("reth node --ipcpath /r.ipc --http --http.port=1", "reth", &["/r.ipc", "http://127.0.0.1:1"]),
            ("erigon --socket.url unix:///e.sock", "Erigon", &["/e.sock"]),
            (
                "java -cp x org.hyperledger.besu.Besu --data-path=/b --rpc-http-enabled=true",
                "Besu",
                &["/b/besu.ipc", "http://127.0.0.1:8545"],
            ),
            ("dotnet nethermind.dll --JsonRpc.Port 8", "Nethermind", &["http://127.0.0.1:8"]),
        ] {
            let endpoints: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
            assert_eq!(parsed(line), Some((client, endpoints)), "{line}");
        }
    }

    #[test]
    fn geths_variable_names_its_data_directory() {
        let of = |line: &[&str]| {
            let line: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
            understand(7, &line, &["HOME=/h".to_owned(), "GETH_DATADIR=/v".to_owned()], None).unwrap().data_dir
        };
        assert_eq!(of(&["geth"]), Some("/v".into()));
        assert_eq!(of(&["geth", "--datadir", "/d"]), Some("/d".into()));
        assert_eq!(of(&["reth"]), None);
    }

    #[test]
    fn geths_file_of_settings_is_read_and_its_flags_override_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        let settings =
            "[Node]\nDataDir = \"/s\"\nIPCPath = \"s.ipc\"\nHTTPHost = \"127.0.0.1\"\nHTTPPort = 8999\nWSHost = \"\"\n";
        std::fs::write(&file, settings).unwrap();
        let of = |flags: &str| parsed(&format!("geth --config {}{flags}", file.display())).unwrap().1;
        assert_eq!(of(""), ["/s/s.ipc", "http://127.0.0.1:8999"]);
        assert_eq!(of(" --datadir /d --http --http.port 7"), ["/d/s.ipc", "http://127.0.0.1:7"]);
        std::fs::write(&file, "no settings").unwrap();
        assert_eq!(of(""), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_client_is_passed_by() {
        for line in [
            "",
            "vim geth",
            "geth attach",
            "geth version",
            "reth db stats",
            "java -jar other.jar",
            "/usr/bin/gethx --datadir /d",
            "dotnet x.dll",
        ] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }

    #[test]
    fn a_port_that_is_none_is_not_guessed() {
        assert_eq!(parsed("geth --http --http.port 99999"), Some(("geth", vec![])));
        assert_eq!(parsed("geth --datadir --http"), Some(("geth", vec!["http://127.0.0.1:8545".to_owned()])));
    }

    proptest! {
        #[test]
        fn no_arguments_stop_it(line in proptest::collection::vec(".{0,20}", 0..8)) {
            let mut line = line;
            line.insert(0, "geth".to_owned());
            prop_assert!(understand(1, &line, &line, None).is_some());
        }
    }
}
