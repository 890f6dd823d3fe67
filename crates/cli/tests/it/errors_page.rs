//! The book's page of errors is made from what the sources say, so that it has all of them and no other.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use crate::support::said::{Said, arms_of, calls, hints_of, path_of, sources, variants, words};
use syn::Expr;
use vipnode_types::{ErrorRow, HintRow, wire::ErrorCode};

const INTRO: &str = "\
# Errors, and how to fix them

<!-- Written from the sources by the test that compares them: WRITE=1 cargo test -p vipnode --test it errors_page -->

A command that fails says what happened and why, and behind `->` how to fix it; with `--json` the same as an object with
`error` and `hint`. Its exit code is 2. What a pool or an agent refuses has a code, a sentence and `data.hint` on the wire.

On this page ‹…› stands for what is filled in.
";

#[test]
fn the_page_matches_the_sources() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/book/src/errors.md");
    let written = page();
    if std::env::var_os("WRITE").is_some() {
        fs::write(&file, &written).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(there == written, "write it anew: WRITE=1 cargo test -p vipnode --test it errors_page");
}

/// One hint stands in a constant, and is written here once more.
#[test]
fn the_hint_that_is_written_here_is_that_of_the_source() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rpc/src/protocol/connection.rs");
    assert!(fs::read_to_string(file).unwrap().contains(&format!("\"{FRAMES}\"")));
}

#[test]
fn known_errors_are_found() {
    let page = page();
    for part in [
        "| the agent speaks protocol ‹theirs›, this pool speaks ‹ours› | use the release of vipnode that the pool runs |",
        "this pool is closed, and this node is not one of its members",
        "the signature is not that of this id over this method and these params",
        "Nobody there, or the connection broke.",
        "| this pool remembers at most ‹nodes› nodes and is full | Try again in ‹retry_ms› ms. |",
        "its certificate comes from an authority that this machine does not know",
        "another vipnode agent runs for this node",
        "no pool was given, and none answers at",
        "keep the agent running for as long as the node has peers of the pool",
        "Check the clocks of both machines, then call again.",
        "| all ‹slots› slots are taken |",
        "| it names no host | ws://host:port |",
        "| the batch is empty | send JSON-RPC 2.0: one object a frame, or a short array of them |",
        "use the pool's wss:// address",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| ")).count();
    assert!(rows > 120, "only {rows} rows");
    // Those of a host that lets nobody in are not for a client to fix.
    let without_hint = page.lines().filter(|line| line.ends_with("| — |")).count();
    assert!(without_hint * 3 < rows, "{without_hint} of {rows} say nothing of how to fix them");
}

/// Whoever refuses in a new way, without the words at hand, has to be read too: this is all there is of it.
#[test]
fn errors_without_text_of_their_own_are_known() {
    let mut wordless: Vec<(&str, usize)> = Vec::new();
    for krate in ["rpc", "pool-core", "pool", "agent-core", "agent", "cli"] {
        let files = sources(krate, "");
        let made = files.iter().flat_map(|file| calls(file, "::WireError::new"));
        // `error.to_string()` hands on the words of another error.
        let own = made.filter(|args| !matches!(&args[1], Expr::MethodCall(call) if call.method == "to_string"));
        wordless.push((krate, own.filter(|args| words(&args[1]).is_empty()).count()));
    }
    // The helpers above: who adds one adds it there too.
    assert_eq!(wordless, [("rpc", 1), ("pool-core", 2), ("pool", 0), ("agent-core", 0), ("agent", 0), ("cli", 0)]);
}

fn page() -> String {
    let mut page = INTRO.to_owned();
    page += "\n## What a pool or an agent refuses, by code\n";
    let said = refusals();
    for code in ErrorCode::ALL.iter().copied() {
        let _infallible = write!(page, "\n### {}\n\n{}: {}.\n", code.name(), code as i32, code.meaning());
        table(&mut page, said.get(code.name()).map(Vec::as_slice).unwrap_or_default());
    }
    let (node, agent, rpc, pool) = (sources("node", ""), sources("agent", ""), sources("rpc", ""), sources("pool", ""));
    for (title, files, name) in [
        ("An agent that cannot start or go on", &agent, "AgentError"),
        ("The node", &node, "NodeError"),
        ("A connection", &rpc, "OpenError"),
        ("Files of authorities, `--tls-ca`", &rpc, "TrustError"),
        ("Agents of this machine, `vipnode status`", &agent, "LocalError"),
        ("A pool that cannot start or go on", &pool, "PoolError"),
        ("The file of members", &pool, "MembersError"),
        ("The pool's certificate", &pool, "TlsError"),
        ("Places of a host", &sources("agent-core", ""), "HostConfigError"),
    ] {
        let _infallible = write!(page, "\n## {title}\n");
        let mut said = variants(files, name);
        if name == "OpenError" {
            // What to do is the agent's to say, which knows that it was about a pool.
            let hints = hints_of(&agent, "AgentError");
            let of = |name: &str| hints.iter().find(|(of, _)| of == name).map(|(_, hint)| hint.clone());
            for said in &mut said {
                said.hint = of(&format!("Pool/{}", said.name)).or_else(|| of("Pool/_")).unwrap_or_default();
            }
        }
        table(&mut page, &said);
        if name == "AgentError" {
            page += "\n### The address of a pool\n";
            table(&mut page, &pairs(&agent, "::refused"));
        } else if name == "OpenError" {
            page += "\n### A certificate that is not trusted\n";
            table(&mut page, &faults(&rpc));
        }
    }
    page += "\n## The command line\n";
    table(&mut page, &failures());
    page
}

/// Rows; a sentence that is another error's own is left out, for that stands elsewhere.
fn table(page: &mut String, said: &[Said]) {
    let mut rows: Vec<String> = Vec::new();
    for Said { what, hint, why, .. } in said.iter().filter(|said| says_something(&said.what)) {
        let why = if why.is_empty() { String::new() } else { format!("<br>*{}*", cell(why)) };
        let row = format!("| {}{why} | {} |\n", cell(what), cell(hint));
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    if !rows.is_empty() {
        let _infallible = write!(page, "\n| it says | how to fix it |\n|---|---|\n{}", rows.concat());
    }
}

/// Rows that only hand on other errors, `‹what›: ‹why›`, say nothing here.
fn says_something(what: &str) -> bool {
    let mut inside = false;
    what.chars().any(|letter| {
        inside = (inside || letter == '‹') && letter != '›';
        !inside && letter.is_alphabetic()
    })
}

fn cell(text: &str) -> String {
    let text = text.replace('|', "\\|").replace('\n', " ").replace('<', "&lt;").replace('*', "\\*");
    if text.trim().is_empty() { "—".to_owned() } else { text.trim().to_owned() }
}

/// All refusals of the wire, by the name of their code.
fn refusals() -> BTreeMap<String, Vec<Said>> {
    let mut all: BTreeMap<String, Vec<Said>> = BTreeMap::new();
    let mut add = |code: &str, what: String, hint: String| {
        if !what.is_empty() {
            all.entry(code.to_owned()).or_default().push(Said {
                name: code.to_owned(),
                what,
                hint,
                why: String::new(),
            });
        }
    };
    for krate in ["rpc", "pool-core", "pool", "agent-core", "agent"] {
        for file in sources(krate, "") {
            for args in calls(&file, "::WireError::new").into_iter().chain(calls(&file, "::refused")) {
                if let [code, what, hint] = args.as_slice()
                    && let Some(code) = path_of(code).strip_prefix("::ErrorCode::")
                {
                    add(code, words(what), words(hint));
                }
            }
            // A frame that is no request: whom it is for, code and words.
            for args in calls(&file, "::refuse").into_iter().filter(|args| krate == "rpc" && args.len() == 3) {
                let code = path_of(&args[1]).trim_start_matches("::ErrorCode::").to_owned();
                add(&code, words(&args[2]), FRAMES.to_owned());
            }
            for args in calls(&file, "::WireError::busy") {
                let retry = match &args[1] {
                    Expr::Path(path) => format!("‹{}›", path.path.segments.last().unwrap().ident),
                    _ => "‹…›".to_owned(),
                };
                add("Busy", words(&args[0]), format!("Try again in {retry} ms."));
            }
            for (_, helper, length, code) in HELPERS.into_iter().filter(|(of, ..)| *of == krate) {
                for args in calls(&file, helper).into_iter().filter(|args| args.len() == length) {
                    add(code, words(&args[0]), args.get(1).map_or_else(String::new, words));
                }
            }
            for (code, what, hint) in literals(&file) {
                add(&code, what, hint);
            }
            for what in admits(&file) {
                add("Refused", what, String::new());
            }
        }
    }
    for row in table_rows() {
        if let Some(code) = row.code {
            add(code.name(), filled(row.message), hint_of_row(row));
        }
    }
    of_signatures(&mut add);
    all
}

/// The errors that the pool and the agent core declare in tables.
fn table_rows() -> impl Iterator<Item = &'static ErrorRow> {
    vipnode_pool::ERROR_TABLES.iter().chain(vipnode_agent_core::ERROR_TABLES).flat_map(|table| table.rows)
}

/// The hint of a row, as it is shown on the page.
fn hint_of_row(row: &ErrorRow) -> String {
    match row.hint {
        HintRow::Text(hint) => filled(hint),
        HintRow::Of(_) | HintRow::None(_) => String::new(),
    }
}

/// A format string with ‹…› for what is filled in.
fn filled(text: &str) -> String {
    text.replace(":?}", "}").replace('{', "‹").replace('}', "›")
}

/// Functions that stand before `WireError::new` with a code of their own: crate, name, arguments, code.
const HELPERS: [(&str, &str, usize, &str); 2] =
    [("pool-core", "::invalid", 2, "InvalidParams"), ("pool-core", "::refuse", 2, "Unauthorized")];
/// The hint for each frame that is no request.
const FRAMES: &str = "send JSON-RPC 2.0: one object a frame, or a short array of them";

/// Why a host does not let a client in: `(AdmitFailure::Full, words)`.
fn admits(file: &syn::File) -> Vec<String> {
    struct Pairs(Vec<String>);
    impl<'ast> syn::visit::Visit<'ast> for Pairs {
        fn visit_expr_tuple(&mut self, tuple: &'ast syn::ExprTuple) {
            if let [failure, why] = tuple.elems.iter().collect::<Vec<_>>().as_slice()
                && path_of(failure).starts_with("::AdmitFailure")
            {
                self.0.push(words(why));
            }
            syn::visit::visit_expr_tuple(self, tuple);
        }
    }
    let mut pairs = Pairs(Vec::new());
    syn::visit::Visit::visit_file(&mut pairs, file);
    pairs.0
}

/// Errors that are written out as a struct.
fn literals(file: &syn::File) -> Vec<(String, String, String)> {
    struct Structs(Vec<(String, String, String)>);
    impl<'ast> syn::visit::Visit<'ast> for Structs {
        fn visit_expr_struct(&mut self, item: &'ast syn::ExprStruct) {
            if item.path.is_ident("WireError") {
                let field = |name: &str| {
                    let of = |field: &&syn::FieldValue| matches!(&field.member, syn::Member::Named(member) if member == name);
                    item.fields.iter().find(of).map(|field| &field.expr)
                };
                if let (Some(Expr::Cast(code)), Some(message)) = (field("code"), field("message")) {
                    let code = path_of(&code.expr).trim_start_matches("::ErrorCode::").to_owned();
                    let mut hint = HintOf(String::new());
                    field("data").into_iter().for_each(|data| syn::visit::Visit::visit_expr(&mut hint, data));
                    self.0.push((code, words(message), hint.0));
                }
            }
            syn::visit::visit_expr_struct(self, item);
        }
    }
    struct HintOf(String);
    impl<'ast> syn::visit::Visit<'ast> for HintOf {
        fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
            if matches!(&field.member, syn::Member::Named(member) if member == "hint") {
                self.0 = words(&field.expr);
            }
        }
    }
    let mut structs = Structs(Vec::new());
    syn::visit::Visit::visit_file(&mut structs, file);
    structs.0
}

/// Signatures and delegations that do not hold: the words stand with the types, the hints with the pool.
fn of_signatures(add: &mut impl FnMut(&str, String, String)) {
    let (types, pool) = (sources("types", ""), sources("pool", ""));
    let hints = arms_of(&pool, "refuse");
    for name in ["EnvelopeError", "DelegationError", "SignatureError"] {
        for said in variants(&types, name) {
            let variant = if name == "DelegationError" { "Delegation" } else { &said.name };
            let of_row = table_rows().find(|row| row.name == format!("Envelope{variant}")).map(hint_of_row);
            let hint = hints.iter().find(|(of, _)| of == variant).map(|(_, hint)| hint.clone());
            let hint = of_row.filter(|_| name != "SignatureError").or(hint);
            if said.what.contains(' ') {
                add("Unauthorized", said.what, hint.unwrap_or_default());
            }
        }
    }
}

/// What is wrong with a certificate: pairs, and calls of `fault`.
fn faults(files: &[syn::File]) -> Vec<Said> {
    struct Pairs(Vec<Said>);
    impl Pairs {
        fn add(&mut self, what: &Expr, hint: &Expr) {
            let (what, hint) = (words(what), words(hint));
            if what.contains(' ') && hint.contains(' ') {
                self.0.push(Said { name: String::new(), what, hint, why: String::new() });
            }
        }
    }
    impl<'ast> syn::visit::Visit<'ast> for Pairs {
        fn visit_expr_tuple(&mut self, tuple: &'ast syn::ExprTuple) {
            if let [what, hint] = tuple.elems.iter().collect::<Vec<_>>().as_slice() {
                self.add(what, hint);
            }
            syn::visit::visit_expr_tuple(self, tuple);
        }
        fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
            if let ("::fault", [what, hint]) =
                (path_of(&call.func).as_str(), call.args.iter().collect::<Vec<_>>().as_slice())
            {
                self.add(what, hint);
            }
            syn::visit::visit_expr_call(self, call);
        }
    }
    let mut pairs = Pairs(Vec::new());
    let is_fault = |file: &&syn::File| {
        file.items.iter().any(|item| matches!(item, syn::Item::Struct(item) if item.ident == "TlsFault"))
    };
    files.iter().filter(is_fault).for_each(|file| syn::visit::Visit::visit_file(&mut pairs, file));
    pairs.0
}

/// What the commands themselves say.
fn failures() -> Vec<Said> {
    let files = sources("cli", "");
    let mut said = pairs(&files, "::CliError::new");
    for args in files.iter().flat_map(|file| calls(file, "::no")).filter(|args| args.len() == 3) {
        let what = format!("{}: {}", words(&args[0]), words(&args[1]));
        said.push(Said { name: String::new(), what, hint: words(&args[2]), why: String::new() });
    }
    said
}

/// Calls with a sentence and how to fix it.
fn pairs(files: &[syn::File], function: &str) -> Vec<Said> {
    let calls = files.iter().flat_map(|file| calls(file, function));
    let said = calls.filter_map(|args| match args.as_slice() {
        [what, hint] => Some(Said { name: String::new(), what: words(what), hint: words(hint), why: String::new() }),
        _ => None,
    });
    said.collect()
}
