use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{Page, machine::Machine, output_shape, page::Typed};

/// Names, addresses, certificates, and directories that the pages expect. In a mount and a network namespace of the test.
const PREPARE: &str = r#"
mkdir -p "$DIR/bin" "$DIR/pool" "$DIR/public" "$DIR/tls"
ln -s "$VIPNODE" "$DIR/bin/vipnode"
ln -s "$GETH" "$DIR/bin/geth"
stand_in() { cat > "$DIR/bin/$1"; chmod 755 "$DIR/bin/$1"; }
# All users are root here, and all machines share a disk.
stand_in sudo <<'END'
#!/bin/sh
[ "$1" != -u ] || shift 2
exec env "$@"
END
stand_in ssh <<'END'
#!/bin/sh
shift
cd "$DIR/pool" && exec sh -c "$*"
END
stand_in scp <<'END'
#!/bin/sh
cd "$DIR/pool" && from=$(realpath "${1#*:}") && cd "$OLDPWD" && exec cp "$from" "$2"
END
cp -a /etc "$DIR/etc"
mount --bind "$DIR/etc" /etc
mkdir -p /etc/vipnode /etc/systemd/system /etc/bash_completion.d
printf '127.0.0.1 localhost pool.example.org pool.example host.example\n' > /etc/hosts
mount -t tmpfs tmpfs /usr/local
mkdir -p /usr/local/bin
mount -t tmpfs tmpfs /var/lib
ip address add 10.0.0.1/24 dev lo
cd "$DIR/tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=all machines trust it' \
  -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=pool.example.org' \
  -keyout privkey.pem -out request.pem 2>/dev/null
printf 'subjectAltName=DNS:pool.example.org,DNS:pool.example\n' > names
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 2 -extfile names -out fullchain.pem 2>/dev/null
cp fullchain.pem privkey.pem "$DIR/pool"
cp fullchain.pem privkey.pem "$DIR/public"
"#;

/// The keys of Ana's and Ben's nodes. The IDs begin with e8669328d954 and a10c29fd170f, as in the pages.
const NODES: [(&str, &str, &str); 2] = [
    ("ana", "30303", "d36a442368e35ff639f4e8689e8529cd0c9029379029c7feb734d56f32f9d06c"),
    ("ben", "30304", "d36a442368e35ff639f4e8689e8529cd0c9029379029c7feb734d56f32f590f2"),
];

/// A chain that does not produce blocks.
const GENESIS: &str = r#"{"config":{"chainId":1337,"homesteadBlock":0,"eip150Block":0,"eip155Block":0,"eip158Block":0,
"byzantiumBlock":0,"constantinopleBlock":0,"petersburgBlock":0,"istanbulBlock":0,"berlinBlock":0,"londonBlock":0,
"terminalTotalDifficulty":0,"shanghaiTime":0},"difficulty":"0x0","gasLimit":"0x1c9c380","alloc":{}}"#;

/// The readers of one page, and their machines.
pub struct World {
    dir: TempDir,
    environment: Vec<(String, String)>,
    machines: BTreeMap<&'static str, Machine>,
    all_on_one: bool,
    nodes: &'static [&'static str],
    /// Who typed last.
    current: &'static str,
    /// All that was printed, for the parts of commands that a reader copies from there.
    printed: String,
}

impl World {
    pub async fn new(page: &Page) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let geth = std::env::var("VIPNODE_TEST_GETH").expect("./test installs geth and sets VIPNODE_TEST_GETH");
        let les = std::env::var("VIPNODE_TEST_GETH_LES").unwrap_or_default();
        let prepared = Command::new("bash")
            .args(["-euc", PREPARE])
            .env("DIR", dir.path())
            .env("VIPNODE", env!("CARGO_BIN_EXE_vipnode"))
            .env("GETH", geth)
            .output()
            .unwrap();
        assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
        let text = |path: PathBuf| path.display().to_string();
        let mut environment: Vec<(String, String)> = [
            ("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", text(dir.path().join("bin")))),
            ("SSL_CERT_FILE", text(dir.path().join("tls/ca.pem"))),
            ("LANG", "C.UTF-8".to_owned()),
            ("DIR", text(dir.path().to_owned())),
            ("LES_GETH", les),
            ("REPOSITORY", text(super::repository().canonicalize().unwrap())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        if page.blocks_are_missing {
            // The chain here is a private one without blocks.
            environment.push(("VIPNODE_MAX_HEAD_AGE".to_owned(), "off".to_owned()));
        }
        let all_on_one = page.all_on_one;
        let first = page.nodes.first().copied().unwrap_or("pool");
        let mut world = Self {
            dir,
            environment,
            machines: BTreeMap::new(),
            all_on_one,
            nodes: page.nodes,
            current: if all_on_one { "ana" } else { first },
            printed: String::new(),
        };
        for node in page.nodes {
            world.start_node(node).await;
        }
        for (who, line) in page.before {
            let typed = Typed { line: (*line).to_owned(), shown: Vec::new(), on_pool: false };
            world.type_as(who, &typed).await;
        }
        world.current = first;
        world
    }

    async fn machine(&mut self, who: &'static str) -> &mut Machine {
        let who = if self.all_on_one { "ana" } else { who };
        if !self.machines.contains_key(who) {
            let machine = Machine::new(&self.dir.path().join(who), &self.environment).await;
            self.machines.insert(who, machine);
        }
        self.machines.get_mut(who).unwrap()
    }

    /// A geth where it is by default; on a machine for all, in a directory of its owner.
    async fn start_node(&mut self, who: &'static str) {
        let all_on_one = self.all_on_one;
        let (_, port, key) = NODES.iter().find(|(name, ..)| *name == who).expect("Ana or Ben");
        let auth_port = port.replace("303", "85");
        let machine = self.machine(who).await;
        let datadir = if all_on_one { format!("{who}/.ethereum") } else { ".ethereum".to_owned() };
        let at = machine.home.join(&datadir);
        std::fs::create_dir_all(at.join("geth")).unwrap();
        std::fs::write(at.join("geth/nodekey"), key).unwrap();
        std::fs::write(at.join("genesis.json"), GENESIS).unwrap();
        let line = format!(
            "geth --datadir ~/{datadir} --override.genesis ~/{datadir}/genesis.json --syncmode full --nodiscover \
             --nat extip:127.0.0.1 --port {port} --authrpc.port {auth_port} --cache 16"
        );
        let role = format!("geth {who}");
        machine.run_on(&role, &[], &line, geth_runs).await;
    }

    /// Types a command of the page, on each machine that it is for.
    pub async fn type_line(&mut self, typed: &Typed) {
        let readers = if typed.on_pool { vec!["pool"] } else { self.readers(&typed.line) };
        for who in readers {
            self.type_as(who, typed).await;
        }
    }

    async fn type_as(&mut self, who: &'static str, typed: &Typed) {
        self.current = who;
        let line = self.filled_in(&typed.line);
        let shown = typed.shown.clone();
        let one_machine = self.all_on_one;
        let machine = self.machine(who).await;
        let printed = match role(&line) {
            Some(role) => {
                let before: String = machine.printed().collect();
                let ready = |printed: &str| match &shown[..] {
                    [] => is_ready(&role, &line, printed),
                    shown => output_shape::missing(shown, &format!("{before}{printed}")).is_empty(),
                };
                let (agents, alone) = (["host", "client", "agent"], [&*role]);
                let replaced = if agents.contains(&&*role) && !one_machine { &agents[..] } else { &alone };
                machine.run_on(&role, replaced, &line, ready).await
            }
            None => {
                let (code, printed) = machine.run(&line).await;
                assert_eq!(code, exit_code(&shown), "{line}\n{printed}");
                let missing = output_shape::missing(&shown, &printed);
                assert!(missing.is_empty(), "{line}\nprinted:\n{printed}\nbut the page shows:\n{}", missing.join("\n"));
                let lines: Vec<String> = printed.lines().map(str::to_owned).collect();
                let unshown = if shown.is_empty() { Vec::new() } else { output_shape::unshown(&shown, &lines) };
                assert!(unshown.is_empty(), "{line}\nprinted, but not on the page:\n{}", unshown.join("\n"));
                printed
            }
        };
        self.printed += &printed;
    }

    pub async fn save(&mut self, file: &Path, text: &str) {
        for who in ["pool", "ana", "ben"] {
            let machine = self.machine(who).await;
            std::fs::write(machine.directory().join(file), text).unwrap();
        }
    }

    pub async fn interrupt(&mut self, shown: &[String]) {
        let printed = self.machine(self.current).await.interrupt().await;
        let missing = output_shape::missing(shown, &printed);
        assert!(missing.is_empty(), "Ctrl-C printed:\n{printed}\nbut the page shows:\n{}", missing.join("\n"));
    }

    /// Pools run on the pool's machine, hosts on Ana's, clients on Ben's. What is typed next to each node is typed on
    /// both. Everything else is typed where the last command was.
    fn readers(&self, line: &str) -> Vec<&'static str> {
        if self.all_on_one {
            return vec!["ana"];
        }
        let words = shlex::split(line).unwrap_or_default();
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "sudo").collect();
        match words[..] {
            ["vipnode" | "./vipnode", "pool", ..] => vec!["pool"],
            ["vipnode", "host", ..] => vec!["ana"],
            ["vipnode", "client", ..] => vec!["ben"],
            ["vipnode", "agent", ..] | ["scp" | "geth", ..] if !self.nodes.is_empty() => self.nodes.to_vec(),
            _ => vec![self.current],
        }
    }

    /// A word with `…` is what an earlier command printed: the word there that begins and ends like it.
    fn filled_in(&self, line: &str) -> String {
        let mut filled = line.to_owned();
        for word in line.split([' ', '\'', '"', '=']).filter(|word| word.contains('…')) {
            let (begin, end) = word.split_once('…').unwrap();
            let until = end.chars().next();
            let found = self.printed.split([' ', '\n', '\'', '"']).rfind(|printed| {
                // The key of an agent begins with 02 or 03.
                printed.starts_with(begin) || begin == "02" && printed.len() == 66 && printed.starts_with("03")
            });
            let found = found.unwrap_or_else(|| panic!("{line}\nnothing printed {word}:\n{}", self.printed));
            let found = until.map_or(found, |until| found.split(until).next().unwrap_or(found));
            filled = filled.replace(word, &format!("{found}{end}"));
        }
        filled
    }
}

/// What a line runs as, if it does not end by itself.
fn role(line: &str) -> Option<String> {
    let words = shlex::split(line)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let once = ["--print-config", "--print-limits", "--check-config", "--dry-run", "--help"];
    if words.iter().any(|word| once.contains(word)) {
        return None;
    }
    match words[..] {
        ["vipnode", "pool", "admin" | "backup" | "key" | "verify", ..] => None,
        ["vipnode", role @ ("pool" | "host" | "client" | "agent"), ..] => Some(role.to_owned()),
        ["geth" | "./geth", "--datadir", dir, next, ..] if next.starts_with("--") => Some(format!("geth {dir}")),
        _ => None,
    }
}

fn is_ready(role: &str, line: &str, printed: &str) -> bool {
    match role {
        "pool" => printed.contains("Listening on "),
        _ if line.ends_with("# until connected") => printed.contains(" connected after "),
        "agent" => printed.contains("Joined the pool"),
        "host" | "client" if line.contains("://") && !line.contains("enode://") => printed.contains("Joined the pool"),
        "host" => printed.contains("state directory:"),
        "client" => printed.contains(" connected"),
        _ => geth_runs(printed),
    }
}

fn geth_runs(printed: &str) -> bool {
    ["auth=true", "Started P2P networking"].iter().all(|word| printed.contains(word))
}

/// By what the page shows: 2 after an error, 1 if something is wrong.
fn exit_code(shown: &[String]) -> i32 {
    match shown {
        [first, ..] if first.starts_with("error:") => 2,
        shown if shown.iter().any(|line| line.starts_with('✗')) => 1,
        _ => 0,
    }
}
