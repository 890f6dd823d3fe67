//! Types the commands of the README and of the book, page by page and in order, as a reader does: in a new home
//! directory, with the real binary and real geths, and compares what they print with what the page shows.
//!
//! How pages are written, so that a reader and this test understand them alike:
//! - Each command of a page is typed after the ones above it. A pool, a host, a client, or an agent goes on in a terminal of
//!   its own, until the next one like it is started on the same machine.
//! - Pools run on one machine, hosts on Ana's, clients on Ben's. `vipnode agent`, `geth`, and `scp` are typed next to each
//!   node, and everything else where the last command was typed.
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
const LOCAL_POOL: (&str, &str) = ("pool", "vipnode pool");
const PUBLIC_POOL: (&str, &str) =
    ("pool", "vipnode pool --bind 0.0.0.0:443 --tls-cert fullchain.pem --tls-key privkey.pem");
const HOST: (&str, &str) = ("ana", "vipnode host ws://127.0.0.1:8080 --slots 10");
const CLIENT: (&str, &str) = ("ben", "vipnode client ws://127.0.0.1:8080 --min-peers 1");

const PAGES: &[Page] = &[
    Page { name: "quickstart-host.md", nodes: &["ana", "ben"], before: &[LOCAL_POOL, CLIENT], ..PLAIN },
    Page { name: "quickstart-client.md", nodes: &["ana", "ben"], before: &[LOCAL_POOL, HOST], ..PLAIN },
];

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
    quickstart_host: "quickstart-host.md",
    quickstart_client: "quickstart-client.md",
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
    let untyped: BTreeSet<&String> = lines.iter().map(|(page, _)| page).filter(|page| !TYPED.contains(&page.as_str())).collect();
    assert!(untyped.is_empty(), "no test types these pages: {untyped:?}");
    for row in LEFT_OUT {
        let there = lines.iter().any(|(page, line)| page == row.page && line.starts_with(row.line));
        assert!(there && !row.why.is_empty(), "{} has no line {:?}", row.page, row.line);
    }
}
