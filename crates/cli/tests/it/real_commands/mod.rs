//! Types the commands of the README and of the book, page by page and in order, as a reader does: in a new home
//! directory, with the real binary and real geths, and compares what they print with what the page shows.
//!
//! How pages are written, so that a reader and this test understand them alike:
//! - Each command of a page is typed after the ones above it. A pool, a host, a client, or an agent goes on in a terminal of
//!   its own, until the next one like it is started on the same machine.
//! - Pools run on one machine, hosts on Ana's, clients on Ben's. `vipnode agent`, `geth`, and `scp` are typed next to each
//!   node, what stands below "the pool's machine" there, and everything else where the last command was typed.
//! - A word with `…` in a command is copied from what an earlier command printed.
//! - A block of TOML whose first line is a comment with a name is that file.
//! - [`left_out`] has the commands that are not typed, with the reasons.

mod left_out;
mod machine;
mod output_shape;
mod page;
mod world;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use left_out::LEFT_OUT;
use page::{Step, Typed};
use world::World;

/// A page, and what its reader has before the first line.
struct Page {
    name: &'static str,
    /// Whose nodes run.
    nodes: &'static [&'static str],
    /// All nodes are on one machine, with their data in `~/ana/.ethereum` and `~/ben/.ethereum`.
    all_on_one: bool,
    /// The agents sell slots although the chain has no blocks.
    blocks_are_missing: bool,
    /// What was typed before, and by whom.
    before: &'static [(&'static str, &'static str)],
}

const PLAIN: Page = Page { name: "", nodes: &[], all_on_one: false, blocks_are_missing: true, before: &[] };
const LOCAL: (&str, &str) = ("pool", "vipnode pool");
const PUBLIC: (&str, &str) =
    ("public", "vipnode pool --bind 0.0.0.0:443 --tls-cert ~/fullchain.pem --tls-key ~/privkey.pem");
const HOST: (&str, &str) = ("ana", "vipnode host ws://127.0.0.1:8080 --slots 10");
const CLIENT: (&str, &str) = ("ben", "vipnode client ws://127.0.0.1:8080 --min-peers 1");
/// The page shows the peer, so the commands of the page wait for it.
const CLIENT_CONNECTED: (&str, &str) = ("ben", "vipnode client ws://127.0.0.1:8080 --min-peers 1 # until connected");
const HOST_AT_GENESIS: (&str, &str) = ("ana", "vipnode host ws://127.0.0.1:8080 --slots 10 --max-head-age off");
const HOST_OF_TWO: (&str, &str) = ("ana", "vipnode host ws://127.0.0.1:8080 --slots 10 --rpc ~/ana/.ethereum/geth.ipc");
const CLIENT_OF_TWO: (&str, &str) =
    ("ana", "vipnode client ws://127.0.0.1:8080 --min-peers 1 --rpc ~/ben/.ethereum/geth.ipc # until connected");
const UNPACKED: &str = "cp $DIR/bin/vipnode . && cp -r $REPOSITORY/packaging/systemd .";
const POOL_UNPACKED: (&str, &str) = ("pool", UNPACKED);
const ANA_UNPACKED: (&str, &str) = ("ana", UNPACKED);
const PACKED: (&str, &str) =
    ("pool", "SOURCE_DATE_EPOCH=0 BINARY=$(realpath $DIR/bin/vipnode) $REPOSITORY/packaging/release $PWD");
const POOL_INSTALLED: (&str, &str) =
    ("pool", "mkdir -p /var/lib/vipnode && vipnode pool --print-config > /etc/vipnode/pool.toml");
const AGENT_INSTALLED: (&str, &str) = ("ana", "echo 'pool = \"ws://127.0.0.1:8080\"' > /etc/vipnode/agent.toml");

const UPGRADED: &[(&str, &str)] = &[POOL_UNPACKED, POOL_INSTALLED, ANA_UNPACKED, AGENT_INSTALLED];
const BOTH: &[&str] = &["ana", "ben"];
const PAGES: &[Page] = &[
    Page { name: "README.md", nodes: BOTH, before: &[PUBLIC], ..PLAIN },
    Page { name: "introduction.md", ..PLAIN },
    Page { name: "quickstart-host.md", nodes: BOTH, before: &[PUBLIC, LOCAL, CLIENT], ..PLAIN },
    Page { name: "quickstart-client.md", nodes: BOTH, before: &[PUBLIC, LOCAL, HOST], ..PLAIN },
    Page { name: "quickstart-pool.md", nodes: BOTH, ..PLAIN },
    Page { name: "install.md", before: &[PACKED], ..PLAIN },
    Page { name: "service.md", nodes: &["ana"], before: &[PUBLIC, POOL_UNPACKED, ANA_UNPACKED], ..PLAIN },
    Page { name: "upgrading.md", nodes: &["ana"], before: UPGRADED, ..PLAIN },
    Page { name: "payments.md", ..PLAIN },
    Page { name: "fleet.md", nodes: BOTH, ..PLAIN },
    Page { name: "certificates.md", nodes: BOTH, ..PLAIN },
    Page { name: "direct.md", nodes: BOTH, before: &[PUBLIC], ..PLAIN },
    Page { name: "pool.md", ..PLAIN },
    Page { name: "under-attack.md", before: &[("pool", "vipnode pool --datadir /var/lib/vipnode/pool")], ..PLAIN },
    Page { name: "original.md", nodes: &["ana"], before: &[PUBLIC], ..PLAIN },
    Page { name: "light-client.md", all_on_one: true, blocks_are_missing: false, ..PLAIN },
    Page { name: "private-chain.md", all_on_one: true, blocks_are_missing: false, ..PLAIN },
    Page { name: "finding.md", nodes: &["ana"], before: &[KEY_OF_A_SERVICE], ..PLAIN },
    Page { name: "configuration.md", ..PLAIN },
    Page {
        name: "doctor.md",
        nodes: BOTH,
        blocks_are_missing: false,
        before: &[LOCAL, HOST_AT_GENESIS, CLIENT_CONNECTED],
        ..PLAIN
    },
    Page { name: "status.md", nodes: BOTH, all_on_one: true, before: &[LOCAL, HOST_OF_TWO, CLIENT_OF_TWO], ..PLAIN },
    Page { name: "metrics.md", nodes: &["ana"], before: &[PUBLIC], ..PLAIN },
];
const KEY_OF_A_SERVICE: (&str, &str) =
    ("ana", "mkdir -p /var/lib/geth/geth && cp ~/.ethereum/geth/nodekey /var/lib/geth/geth/");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn steps(name: &str) -> Vec<Step> {
    let root = repository();
    let at = [root.join(name), root.join("docs/book/src").join(name)].into_iter().find(|path| path.exists());
    let page = fs::read_to_string(at.unwrap_or_else(|| panic!("no page {name}"))).unwrap();
    page::steps(&page).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The command as it is typed; nothing for one that is left out.
fn typed(page: &str, typed: Typed) -> Option<Typed> {
    let Some(row) = LEFT_OUT.iter().find(|row| row.page == page && typed.line.starts_with(row.line)) else {
        return Some(typed);
    };
    (!row.instead.is_empty()).then(|| Typed { line: row.instead.to_owned(), ..typed })
}

async fn type_page(name: &str) {
    vipnode_node::testing::assert_isolated();
    let page = PAGES.iter().find(|page| page.name == name).unwrap();
    let mut world = World::new(page).await;
    for step in steps(name) {
        match step {
            Step::Save { file, text } => world.save(&file, &text).await,
            Step::Type(command) => {
                if let Some(command) = typed(name, command) {
                    world.type_line(&command).await;
                }
            }
            Step::Interrupt { shown } => world.interrupt(&shown).await,
        }
    }
}

macro_rules! pages {
    ($($test:ident: $page:literal),* $(,)?) => {
        $(#[tokio::test] async fn $test() { type_page($page).await; })*
        /// The pages that a test types.
        const TYPED: &[&str] = &[$($page),*];
    };
}

pages! {
    readme: "README.md",
    introduction: "introduction.md",
    quickstart_host: "quickstart-host.md",
    quickstart_client: "quickstart-client.md",
    quickstart_pool: "quickstart-pool.md",
    install: "install.md",
    service: "service.md",
    upgrading: "upgrading.md",
    payments: "payments.md",
    fleet: "fleet.md",
    certificates: "certificates.md",
    direct: "direct.md",
    pool: "pool.md",
    under_attack: "under-attack.md",
    original: "original.md",
    light_client: "light-client.md",
    private_chain: "private-chain.md",
    finding: "finding.md",
    configuration: "configuration.md",
    doctor: "doctor.md",
    status: "status.md",
    metrics: "metrics.md",
}

/// A page with a command is typed, and each row of the table of exceptions names a command of its page.
#[test]
fn each_command_is_typed_or_left_out_with_a_reason() {
    let book = fs::read_dir(repository().join("docs/book/src")).unwrap();
    let mut names: BTreeSet<String> = book.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.extend(["README.md".to_owned(), "SECURITY.md".to_owned()]);
    let mut lines: BTreeSet<(String, String)> = BTreeSet::new();
    for name in names.iter().filter(|name| name.ends_with(".md")) {
        let commands = steps(name).into_iter().filter_map(|step| match step {
            Step::Type(typed) => Some((name.clone(), typed.line)),
            _ => None,
        });
        lines.extend(commands);
    }
    let untyped: BTreeSet<&String> =
        lines.iter().map(|(page, _)| page).filter(|page| !TYPED.contains(&page.as_str())).collect();
    assert!(untyped.is_empty(), "no test types these pages: {untyped:?}");
    for row in LEFT_OUT {
        let there = lines.iter().any(|(page, line)| page == row.page && line.starts_with(row.line));
        assert!(there && !row.why.is_empty(), "{} has no line {:?}", row.page, row.line);
    }
}
