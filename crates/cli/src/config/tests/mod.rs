mod hints;

use std::{collections::BTreeSet, ffi::OsString, path::Path};

use clap::{Command, CommandFactory};

use super::{
    config_file::ConfigFile,
    flag::{Flag, FlagArity},
    reader::{Reader, Unread},
    settings::Settings,
};
use crate::{
    args::{CALLED_POOL, Cli, Command as Chosen, TYPED_POOL, Targets},
    error::CliError,
};

fn read(line: &[&str], env: fn(&str) -> Option<OsString>) -> Result<(Cli, Settings), Unread> {
    Reader::new(line.iter().map(OsString::from), env).read()
}

fn with_file(text: &str, line: &[&str], env: fn(&str) -> Option<OsString>) -> Result<(Cli, Settings), Unread> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vipnode.toml");
    std::fs::write(&path, text).unwrap();
    let line: Vec<&str> = line.iter().copied().chain(["--config", path.to_str().unwrap()]).collect();
    read(&line, env)
}

fn nothing(_: &str) -> Option<OsString> {
    None
}

fn tree() -> Command {
    let mut tree = Cli::command();
    tree.build();
    tree
}

fn refused(text: &str) -> CliError {
    ConfigFile::parse(Path::new("vipnode.toml"), text, &tree()).unwrap_err().into()
}

fn host(text: &str, line: &[&str], env: fn(&str) -> Option<OsString>) -> crate::args::HostArgs {
    let (cli, _) = with_file(text, &[&["vipnode", "host"], line].concat(), env).unwrap_or_else(|e| panic!("{e:?}"));
    let Some(Chosen::Host(args)) = cli.command else { panic!("a host") };
    args
}

fn each(command: &Command, table: &[String], look: &mut dyn FnMut(&[String], &Command)) {
    look(table, command);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        each(sub, &[table, &[sub.get_name().to_owned()]].concat(), look);
    }
}

#[test]
fn every_flag_has_a_variable_and_a_key() {
    let tree = tree();
    let mut seen = 0;
    each(&tree, &[], &mut |words, command| {
        let mut variables = BTreeSet::new();
        for flag in Flag::of(command) {
            assert!(flag.is_line_only() || variables.insert(flag.variable()), "{words:?}: {} twice", flag.variable());
            let variable = flag.variable();
            assert!(variable.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'), "{variable}");
            let value = match flag.takes() {
                FlagArity::Nothing => "true",
                FlagArity::Count => "1",
                FlagArity::Many => "[\"x\"]",
                FlagArity::One => "\"x\"",
            };
            let section = if words.is_empty() { String::new() } else { format!("[{}]\n", words.join(".")) };
            let text = format!("{section}\"{}\" = {value}\n", flag.key());
            let in_files = Flag::of(command).any(|other| other.key() == flag.key() && other.is_in_files());
            let file = ConfigFile::parse(Path::new("f"), &text, &tree);
            assert_eq!(file.is_ok(), in_files, "{text}");
            let found = file.ok().is_some_and(|file| file.get(&words.join(" "), flag).is_some());
            assert_eq!(found, in_files, "{text}");
            seen += 1;
        }
    });
    assert!(seen > 60, "{seen}");
}

#[test]
fn every_secret_can_be_in_a_file_of_its_own() {
    let mut secrets = 0;
    each(&tree(), &[], &mut |words, command| {
        for flag in Flag::of(command).filter(|flag| flag.is_secret()) {
            let of_file = format!("{}_FILE", flag.variable());
            assert!(Flag::of(command).any(|other| other.variable() == of_file), "{words:?}: {of_file}");
            secrets += 1;
        }
        for flag in Flag::of(command) {
            let named = ["secret", "password", "passphrase", "token"].iter().any(|word| flag.key().ends_with(word));
            // The address of a token's contract.
            let named = named && !matches!(flag.key().as_str(), "token" | "chain.token");
            assert!(!named || flag.is_secret(), "{words:?}: {} is shown", flag.key());
        }
    });
    assert!(secrets > 0);
}

#[test]
fn a_flag_beats_a_variable_beats_a_file_beats_the_default() {
    let env: fn(&str) -> Option<OsString> = |name| match name {
        "VIPNODE_SLOTS" => Some("2".into()),
        "VIPNODE_RESERVE" => Some("20".into()),
        _ => None,
    };
    let file = "[host]\nslots = 1\nreserve = 10\nnode-max-peers = 70\npool = \"ws://127.0.0.1:1\"\n";
    let args = host(file, &["--slots", "3"], env);
    assert_eq!((args.hosting.slots, args.hosting.reserve, args.hosting.node_max_peers), (3, 20, 70));
    assert_eq!(host("", &[], nothing).hosting.slots, 10);
}

#[test]
fn what_stands_before_the_tables_is_for_each_command_that_has_it() {
    let file = "rpc = \"/all.ipc\"\nverbose = 2\n[host]\nslots = 1\n[client]\nrpc = \"/client.ipc\"\n";
    assert_eq!(host(file, &[], nothing).connection.node.rpc.as_deref(), Some("/all.ipc"));
    let (cli, _) = with_file(file, &["vipnode", "client"], nothing).unwrap();
    let Some(Chosen::Client(args)) = cli.command else { panic!("a client") };
    assert_eq!((args.connection.node.rpc.as_deref(), cli.global.verbose), (Some("/client.ipc"), 2));
    let (cli, _) = with_file("[agent]\nslots = 7\n", &["vipnode"], nothing).unwrap();
    assert_eq!(cli.agent.hosting.slots, 7);
}

#[test]
fn a_stronger_word_silences_a_weaker_one_that_contradicts_it() {
    let file = "[host]\njoin-secret-file = \"/secret\"\n";
    let args = host(file, &["--join-secret", "sesame"], nothing);
    assert!(args.connection.join.join_secret.is_some() && args.connection.join.join_secret_file.is_none());
}

#[test]
fn the_rules_of_flags_hold_for_files_and_variables_and_say_where_a_value_is_from() {
    let Err(Unread::Error(error)) = with_file("[pool]\ntls-cert = \"c.pem\"\n", &["vipnode", "pool"], nothing) else {
        panic!("a certificate without a key was taken")
    };
    assert!(error.message.contains("--tls-key"), "{error:?}");
    let file = "[client]\n\nmin-peers = 100\n";
    let Err(Unread::Error(error)) = with_file(file, &["vipnode", "client"], nothing) else { panic!("taken") };
    assert!(error.message.contains("from 1 to 64"), "{error:?}");
    assert!(error.hint.contains("--min-peers") && error.hint.contains("line 3. "), "{error:?}");
}

#[test]
fn lists_come_from_each_place() {
    let env: fn(&str) -> Option<OsString> = |name| match name {
        "VIPNODE_PUBLIC_URL" => Some("wss://a.example, wss://b.example".into()),
        "VIPNODE_LIMIT" => Some("[\"write=1s\", \"nodes=5\"]".into()),
        "VIPNODE_PRINT_LIMITS" => Some("yes".into()),
        _ => None,
    };
    let chain = format!("chain = [\"100=0x{0}\", \"7=0x{0}\"]", "07".repeat(32));
    let file = format!("[pool]\nallow-origin = [\"https://x.example\"]\nproxy = \"10.0.0.1\"\n{chain}\n");
    let (cli, _) = with_file(&file, &["vipnode", "pool"], env).unwrap();
    let Some(Chosen::Pool(pool)) = cli.command else { panic!("a pool") };
    let urls: Vec<&str> = pool.public_url.iter().map(vipnode_types::RpcUrl::as_str).collect();
    assert_eq!(urls, ["wss://a.example/", "wss://b.example/"]);
    assert_eq!((pool.limit.len(), pool.allow_origin.len(), pool.proxy.len()), (2, 1, 1));
    assert_eq!(crate::args::chain_flag::pinned(&pool.chain).unwrap()[1].chain_id, 7);
    assert!(pool.print_limits);
}

#[test]
fn a_list_in_brackets_is_one_also_where_the_flag_takes_commas() {
    let env = |name: &str| {
        let (one, two) = ("0a".repeat(64), "0b".repeat(64));
        (name == "VIPNODE_ALLOW").then(|| format!("[\"{one}\", \"{two}\"]").into())
    };
    assert_eq!(host("", &[], env).hosting.allow.len(), 2);
}

#[test]
fn an_unknown_key_names_the_nearest() {
    for (text, line, nearest) in [
        ("min_peers = 3\n", "line 1", "min-peers"),
        ("[host]\n\nslot = 3\n", "line 3", "\"slots\""),
        ("[hosts]\nslots = 3\n", "line 1", "\"host\""),
        ("verbos = 1\n", "line 1", "\"verbose\""),
        ("[pool]\nmin-peers = 3\n", "line 2", "it belongs in [agent] or [client]"),
        ("[pool]\nmin_peers = 3\n", "line 2", "\"min-peers\" belongs in [agent] or [client]"),
        ("[host]\nenode.hots = \"x\"\n", "line 2", "\"enode.host\""),
    ] {
        let error = refused(text);
        let said = format!("{} {}", error.message, error.hint);
        assert!(said.contains(line) && said.contains(nearest), "{said}");
    }
    let hostile = refused("\"\\u001b[31m\\nFAKE\" = 1\n").message;
    assert!(hostile.contains("FAKE") && !hostile.contains(['\n', '\u{1b}']), "{hostile:?}");
    for (text, why) in [
        ("[host]\nslots = 1.5\n", "not a string"),
        ("[host\n", "not valid TOML"),
        ("[host]\nrpc = [1, true]", "not a string"),
    ] {
        assert!(refused(text).message.contains(why), "{:?}", refused(text));
    }
    let Err(Unread::Error(error)) = with_file("[host]\ndry-run = 3\n", &["vipnode", "host"], nothing) else {
        panic!("taken")
    };
    assert!(error.message.contains("dry-run") && error.hint.contains("true or false"), "{error:?}");
}

#[test]
fn a_mistyped_command_starts_nothing_and_names_the_nearest() {
    let error = |line: &[&str]| match read(line, nothing) {
        Err(Unread::Error(error)) => error,
        other => panic!("{line:?}: {other:?}"),
    };
    assert_eq!(error(&["vipnode", "statux"]).message, "unknown command 'statux'; did you mean 'status'?");
    assert_eq!(error(&["vipnode", "FOO"]).message, "unknown command 'FOO'");
    assert_eq!(error(&["vipnode", "-v", "docter"]).message, "unknown command 'docter'; did you mean 'doctor'?");
    let far = error(&["vipnode", "mycompanypool"]);
    let also: fn(&str) -> Option<OsString> = |name| (name == "VIPNODE_POOL").then(|| "wss://pool.example".into());
    assert!(
        matches!(read(&["vipnode", "statux"], also), Err(Unread::Error(error)) if error.message.contains("'status'"))
    );
    assert!(far.message == "unknown command 'mycompanypool'" && far.hint.contains("wss://mycompanypool"), "{far:?}");
    assert!(far.hint.contains("--pool mycompanypool"), "{far:?}");
    assert_eq!(error(&["vipnode", ""]).hint, "To list the commands, run `vipnode --help`.");
    // A word after a command is not a command.
    assert!(error(&["vipnode", "host", "statux"]).message.contains("is not the URL of a pool"));
    for (line, message, hint) in [
        (&["pool", "adm"][..], "unknown command 'pool adm'; did you mean 'pool admin'?", "`vipnode pool --help`"),
        (&["help", "hots"], "unknown command 'hots'; did you mean 'host'?", "`vipnode --help`"),
        (&["pool", "admin", "x"], "unknown command 'pool admin x'", "`vipnode pool admin --help`"),
        (&["status", "--no-such"], "unexpected argument '--no-such' found", "`vipnode status --help`"),
        (
            &["pool", "--price", "10", "USDC"],
            "the subcommand 'USDC' cannot be used with '--price <PRICE>'",
            "Put the amount in quotes: \"10 USDC\".",
        ),
        (
            &["pool", "admin", "credit", "0x8ba1f109551bD432803012645Ac136ddd64DBA72", "10", "USDC", "--reason", "x"],
            "unexpected argument 'USDC' found",
            "Put the amount in quotes: \"10 USDC\".",
        ),
        (
            &["host", "--slot", "3"],
            "unexpected argument '--slot' found; did you mean '--slots'?",
            "`vipnode host --help`",
        ),
    ] {
        let error = error(&[&["vipnode"], line].concat());
        assert_eq!(error.message, message);
        assert!(error.hint.contains(hint), "{error:?}");
    }
    for (line, missing) in [
        (&["pool", "admin", "credit"][..], "<ACCOUNT>"),
        (&["pool", "admin", "payout", "paid"], "<ID>"),
        (&["pool", "restore"], "<BACKUP>"),
        (&["account", "payout"], "<ADDRESS>"),
    ] {
        let error = error(&[&["vipnode"], line].concat());
        assert!(error.message.contains(missing), "{error:?}");
        assert!(error.hint.contains(&format!("`vipnode {} --help`", line.join(" "))), "{error:?}");
    }
    let negative = error(&["vipnode", "host", "--slots", "-1"]);
    assert!(negative.message.starts_with("invalid value '-1' for '--slots <N>'"), "{negative:?}");
    assert!(matches!(read(&["vipnode", "version"], nothing).unwrap().0.command, Some(Chosen::Version)));
    assert_eq!(read(&["vipnode", "localhost"], nothing).unwrap().0.agent.connection.pool.len(), 1);
}

/// Every command that takes a pool: a word without a dot, a port, or a scheme is rejected, and `--pool` takes it.
#[test]
fn a_word_is_a_pool_only_after_the_flag() {
    let (mut below, mut tried) = (vec![(vec!["vipnode".to_owned()], tree())], 0);
    while let Some((words, command)) = below.pop() {
        for next in command.get_subcommands().filter(|next| next.get_name() != "help") {
            below.push(([&words[..], &[next.get_name().to_owned()]].concat(), next.clone()));
        }
        let is_pool = |arg: &clap::Arg| [TYPED_POOL, CALLED_POOL].contains(&arg.get_id().as_str());
        // A word without a command before it is a mistyped command.
        let Some(before) = command.get_positionals().position(is_pool).filter(|_| words.len() > 1) else { continue };
        let account = "0x52908400098527886E0F7030069857D2E4169EE7".to_owned();
        let line = [words, vec![account; before]].concat();
        let with = |more: &[&str]| {
            let line: Vec<&str> = line.iter().map(String::as_str).chain(more.iter().copied()).collect();
            read(&line, nothing).map_err(|error| format!("{error:?}"))
        };
        let error = with(&["mypool"]).unwrap_err();
        assert!(error.contains("mypool") && error.contains("is not the URL of a pool"), "{line:?}: {error}");
        assert!(error.contains("--pool mypool"), "{line:?}: {error}");
        for pool in [&["--pool", "mypool"][..], &["localhost"], &["mypool:8080"], &["pool.example"]] {
            assert!(with(pool).is_ok(), "{line:?} {pool:?}");
        }
        tried += 1;
    }
    assert!(tried >= 8, "{tried}");
}

/// A word that was not typed, or was typed after --pool, is not a mistyped command.
#[test]
fn a_pool_whose_name_is_a_word_is_named_by_a_flag_a_variable_or_a_file() {
    let variable: fn(&str) -> Option<OsString> = |name| (name == "VIPNODE_POOL").then(|| "other".into());
    let pool = |read: Result<(Cli, Settings), Unread>| {
        let (cli, settings) = read.unwrap_or_else(|error| panic!("{error:?}"));
        let Some(Chosen::Host(args)) = &cli.command else { panic!("a host") };
        (Targets::of(args.connection.named(), &[]).unwrap().pool.unwrap(), settings.to_toml())
    };
    for (pool, printed) in [
        pool(read(&["vipnode", "host", "--pool", "mypool"], variable)),
        pool(with_file("[host]\npool = \"mypool\"\n", &["vipnode", "host"], nothing)),
        pool(with_file("[host]\npool = \"other\"\n", &["vipnode", "host", "--pool", "mypool"], nothing)),
    ] {
        assert!(pool == "mypool" && printed.matches("pool = [\"mypool\"] # ").count() == 1, "{printed}");
    }
    assert_eq!(pool(read(&["vipnode", "host"], variable)).0, "other");
    let (typed, printed) = pool(read(&["vipnode", "host", "p.example"], variable));
    assert!(typed == "p.example" && printed.contains("pool = [\"p.example\"] # the command line"), "{printed}");
}

#[test]
fn a_path_may_begin_with_the_home_directory_wherever_it_is_written() {
    let variable: fn(&str) -> Option<OsString> = |name| (name == "VIPNODE_NODEKEY").then(|| "~/key".into());
    let key = std::path::PathBuf::from(std::env::var_os("HOME").unwrap()).join("key");
    for args in [
        host("[host]\nnodekey = \"~/key\"\n", &[], nothing),
        host("", &["--nodekey=~/key"], nothing),
        host("", &[], variable),
    ] {
        assert_eq!(args.connection.nodekey.as_ref(), Some(&key));
    }
}

#[test]
fn files_of_other_systems_and_empty_variables_are_read() {
    assert_eq!(host("\u{feff}[host]\r\nslots = 3\r\n", &[], nothing).hosting.slots, 3);
    let empty: fn(&str) -> Option<OsString> = |name| name.starts_with("VIPNODE_").then(OsString::new);
    assert_eq!(host("[host]\nslots = 3\n", &[], empty).hosting.slots, 3);
}

#[test]
fn a_password_in_a_url_is_not_printed() {
    let (_, settings) = read(&["vipnode", "host", "ws://me:secret@127.0.0.1:1", "--rpc", "http://a:secret@h"], nothing)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let toml = settings.to_toml();
    assert!(!toml.contains(":secret") && toml.contains("…@127.0.0.1:1"), "{toml}");
}

#[test]
fn a_name_with_a_dot_is_a_key_in_quotes_or_not() {
    for text in ["[client]\nenode.host = \"1.2.3.4\"\n", "[client]\n\"enode.host\" = \"1.2.3.4\"\n"] {
        let (cli, _) = with_file(text, &["vipnode", "client"], nothing).unwrap();
        let Some(Chosen::Client(args)) = cli.command else { panic!("a client") };
        assert!(args.connection.protocol.enode_host.is_some(), "{text}");
    }
}

#[test]
fn what_is_printed_says_where_it_is_from_shows_no_secret_and_is_read_again() {
    let env: fn(&str) -> Option<OsString> = |name| match name {
        "VIPNODE_WELCOME" => Some("say \"hi\"\n\u{7f}".into()),
        "VIPNODE_JOIN_SECRET" => Some("sesame".into()),
        _ => None,
    };
    let file = "verbose = 1\n[pool]\nprice = \"100 gwei\"\nlimit = [\"write=1s\"]\nmax-request-hosts = 5\n";
    let (_, settings) = with_file(file, &["vipnode", "pool", "--bind", "127.0.0.1:0"], env).unwrap();
    let toml = settings.to_toml();
    assert!(!toml.contains("sesame") && toml.contains("# join-secret is set (secret) # VIPNODE_JOIN_SECRET"));
    for line in [
        "bind = \"127.0.0.1:0\" # the command line",
        "welcome = \"say \\\"hi\\\"\\n\\u007f\" # VIPNODE_WELCOME",
        "# report-interval = \"60s\" # default",
        "max-request-hosts = 5 # ",
        "# members is not set",
    ] {
        assert!(toml.contains(line), "{line}: {toml}");
    }
    assert!(toml.contains("vipnode.toml line 3"), "{toml}");
    let (_, again) = with_file(&toml, &["vipnode", "pool"], nothing).unwrap_or_else(|e| panic!("{e:?}\n{toml}"));
    let values = |text: &str| -> Vec<String> {
        let sourceless = text.lines().map(|line| line.rsplit_once(" # ").map_or(line, |(value, _)| value).to_owned());
        sourceless.filter(|line| !line.contains("join-secret is")).collect()
    };
    assert_eq!(values(&again.to_toml()), values(&toml));
}

#[test]
fn what_the_original_configured_is_refused_with_what_replaces_it() {
    let ini = "[Application Options]\nVerbose = true\nVerbose = true\n\n[pool]\n; Address\nBind = 0.0.0.0:8080\n\
               Store = persist\nInvalidNode = x\nMaxRequestHosts = 5\n\n[pool.contract]\nPrice = 100 gwei\n\n[agent]\nMinPeers = 4\nShade = red\n";
    let error = refused(ini);
    assert!(error.message.contains("original vipnode"), "{error:?}");
    let toml = error.hint.split_once("\n\n").unwrap().1;
    for line in [
        "verbose = 2",
        "bind = \"0.0.0.0:8080\"",
        "store = \"persist\"",
        "price = \"100 gwei\"",
        "max-request-hosts = 5",
    ] {
        assert!(toml.contains(line), "{line}: {toml}");
    }
    assert!(toml.contains("# omitted (not supported in this version): InvalidNode = \"x\""), "{toml}");
    assert!(toml.contains("# omitted (unknown setting): Shade"), "{toml}");
    let (cli, _) = with_file(toml, &["vipnode"], nothing).unwrap_or_else(|e| panic!("{e:?}\n{toml}"));
    assert_eq!((cli.agent.host_selection.min_peers, cli.global.verbose), (4, 2));
    assert!(!refused("[host]\nslot = 3\n").message.contains("original"));
}
