//! Files and values as users write them: with a byte order mark, Windows line endings, `0x`, quotes, and comments. Each
//! is accepted with its intended meaning or rejected with the reason. Values on the wire have only one form (fault D10,
//! docs/faults.md), which `types` tests.

use std::{path::Path, process::Command};

use crate::support::Sim;

/// Runs without what the environment of the test sets; exit code and everything it printed.
fn run(args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
    command.env_clear().env("HOME", "/nonexistent").envs(variables.iter().copied());
    let output = command.args(args).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), text)
}

/// How a file can be written, with a name for the error.
fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let windows = text.replace('\n', "\r\n");
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    vec![
        ("plain", text.into()),
        ("byte order mark", format!("\u{feff}{text}").into()),
        ("line ends of Windows", windows.clone().into()),
        ("both", format!("\u{feff}{windows}").into()),
        ("no line end", text.trim_end().into()),
        ("UTF-16", [vec![0xff, 0xfe], utf16(&windows)].concat()),
    ]
}

/// A certificate of a server and its key, and one of an authority.
fn certificates() -> [String; 3] {
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    [server.pem(), key.serialize_pem(), authority.pem()]
}

/// Each kind of file of a pool in each form. `FILE` is the file, `DIR` the directory of the plain ones.
#[test]
fn each_file_of_a_pool_is_read_in_each_form_or_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = ("0a".repeat(64), "0b".repeat(64));
    let [certificate, key, _] = certificates();
    let plain = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    plain("cert", &certificate);
    plain("key", &key);
    let members = format!("# ours\n{a}\n0x{b} # Ben\n\"enode://{a}@10.0.0.1:30303?discport=0\",\n\n'enode://0x{b}'\n");
    let kinds: [(&str, String, &[&str]); 5] = [
        ("members", members, &["--members", "FILE"]),
        ("join secret", "c2VzYW1l\n".to_owned(), &["--join-secret-file", "FILE"]),
        ("certificate", certificate, &["--tls-cert", "FILE", "--tls-key", "DIR/key"]),
        ("its key", key, &["--tls-cert", "DIR/cert", "--tls-key", "FILE"]),
        ("settings", "# ours\n[pool]\nprice = \"100 gwei\" # each\n".to_owned(), &["--config", "FILE"]),
    ];
    for (kind, text, flags) in kinds {
        for (form, bytes) in forms(&text) {
            let file = dir.path().join("file");
            std::fs::write(&file, bytes).unwrap();
            let flags = flags
                .iter()
                .map(|flag| flag.replace("FILE", file.to_str().unwrap()).replace("DIR", dir.path().to_str().unwrap()));
            let flags: Vec<String> = ["pool", "--check-config"].map(str::to_owned).into_iter().chain(flags).collect();
            let (code, printed) = run(&flags.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
            if form == "UTF-16" {
                let named = printed.contains("UTF-16") || printed.contains("it holds no");
                assert!(code == Some(2) && named, "{kind}, {form}: {printed}");
            } else {
                assert_eq!(code, Some(0), "{kind}, {form}: {printed}");
            }
        }
    }
}

/// A line that names no node is refused with its number.
#[test]
fn a_line_of_a_members_file_that_is_none_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("members");
    std::fs::write(&file, format!("\u{feff}# ours\r\n{}\r\n\"enode://12@10.0.0.1:1\"\r\n", "0a".repeat(64))).unwrap();
    let (code, printed) = run(&["pool", "--check-config", "--members", file.to_str().unwrap()], &[]);
    assert!(code == Some(2) && printed.contains("line 3") && printed.contains("has 2"), "{printed}");
}

/// The key of a node in each form, and the certificate of an authority.
#[tokio::test]
async fn each_file_of_an_agent_is_read_in_each_form_or_refused_with_the_reason() {
    let sim = Sim::start().await;
    let [rpc, ..] = sim.args();
    let key = std::fs::read(sim.dir.path().join("key")).unwrap();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let [_, _, authority] = certificates();
    let mut cases: Vec<(String, &str, Vec<u8>)> = Vec::new();
    for (name, text) in [("hex", format!("{hex}\n")), ("0x", format!("0x{hex}\n")), ("quotes", format!("\"{hex}\"\n"))]
    {
        cases
            .extend(forms(&text).into_iter().map(|(form, bytes)| (format!("key, {name}, {form}"), "--nodekey", bytes)));
    }
    cases.extend(forms(&authority).into_iter().map(|(form, bytes)| (format!("authority, {form}"), "--tls-ca", bytes)));
    let file = sim.dir.path().join("file");
    for (case, flag, bytes) in cases {
        std::fs::write(&file, bytes).unwrap();
        let state = tempfile::tempdir().unwrap();
        let (path, state) = (file.to_str().unwrap(), state.path().to_str().unwrap());
        let args: Vec<&str> = match flag {
            "--nodekey" => vec!["link", &rpc, flag, path, "--state-dir", state],
            // Nobody is there, which is another error.
            _ => vec!["status", "--pool", "wss://127.0.0.1:1", flag, path],
        };
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let output =
            tokio::task::spawn_blocking(move || run(&args.iter().map(String::as_str).collect::<Vec<_>>(), &[]));
        let (code, printed) = output.await.unwrap();
        let refused = printed.contains("64 hex characters") || printed.contains("no certificates");
        match case.ends_with("UTF-16") {
            true => assert!(code == Some(2) && refused, "{case}: {printed}"),
            false => assert!(!refused && (code == Some(0) || flag == "--tls-ca"), "{case}: {printed}"),
        }
    }
}

/// The same forms as values: of a flag, of a variable, and of a key of the settings file.
#[test]
fn a_node_is_read_in_each_form_from_flags_variables_and_settings() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("agent.toml");
    let id = "0a".repeat(64);
    for form in ["ID", "0xID", "\"ID\"", " ID ", "enode://ID@10.0.0.1:30303", "\"enode://ID@10.0.0.1:30303\""] {
        let value = form.replace("ID", &id);
        for flag in ["allow", "keep"] {
            let settings = |args: &[&str], variables: &[(&str, &str)]| {
                let (code, printed) = run(&[&["host", "--print-config"], args].concat(), variables);
                assert!(code == Some(0) && printed.contains(&id), "{flag} {form}: {printed}");
            };
            settings(&[&format!("--{flag}"), &value], &[]);
            settings(&[], &[(&format!("VIPNODE_{}", flag.to_uppercase()), &value)]);
            std::fs::write(&file, format!("{flag} = ['{value}']\r\n")).unwrap();
            settings(&["--config", file.to_str().unwrap()], &[]);
        }
        for refused in [format!("enode://{}", &id[1..]), id[1..].to_owned()] {
            let (code, printed) = run(&["host", "--print-config", "--allow", &refused], &[]);
            assert!(code == Some(2) && printed.contains("127"), "{refused}: {printed}");
        }
    }
}

/// An empty variable counts as not set, with a warning, whatever its flag takes.
#[test]
fn empty_variables_count_as_unset_with_a_warning() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/book/src/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let flags = page.lines().filter_map(|line| line.strip_prefix("| `")).flat_map(|row| row.split('`'));
    let flags: std::collections::BTreeSet<&str> =
        flags.filter_map(|cell| cell.strip_prefix("--")?.split([' ', ',', '[']).next()).collect();
    assert!(flags.len() > 60, "{flags:?}");
    let names: Vec<String> =
        flags.iter().map(|flag| format!("VIPNODE_{}", flag.to_uppercase().replace(['-', '.'], "_"))).collect();
    let variables: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    for command in [&["pool", "--check-config"][..], &["completions", "bash"], &["man"]] {
        let (code, printed) = run(command, &variables);
        assert_eq!(code, Some(0), "{command:?}: {printed}");
        for name in &names {
            assert!(printed.contains(&format!("{name} is empty")), "{command:?}: {name} in {printed}");
        }
    }
}
