//! The operator of a running pool: bans and drains, by the real binary.

use crate::protocol2::Nodes;
use crate::support::{SOON, Sim, Vipnode, error_of, ran, scrape::get, text};
use serde_json::Value;
use vipnode_node::sim::sim_key;
use vipnode_types::NodeKey;

/// Runs `vipnode pool admin` and returns its answer.
pub async fn admin(datadir: &str, args: &[&str]) -> Value {
    let output = ran(&[&["pool", "admin"], args, &["--datadir", datadir, "--json"]].concat()).await;
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_banned_agent_is_out_until_the_ban_is_removed_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let (pool, url) = Vipnode::pool(&["--datadir", &datadir]).await;
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &url]);
    agent.event("joined").await;
    let node = NodeKey::read(sim_key("node").as_slice()).unwrap().id().to_string();
    let nodes = admin(&datadir, &["nodes"]).await;
    assert_eq!((&nodes["nodes"][0]["node"], &nodes["nodes"][0]["client"]), (&Value::from(&*node), &Value::Bool(true)));
    let top = admin(&datadir, &["top", "--by", "in"]).await;
    assert_eq!(top["blocks"][0]["block"], "127.0.0.0/24", "{top}");

    let banned = admin(&datadir, &["ban", &node[..12], "--reason", "flood"]).await;
    assert_eq!((&banned["ended_nodes"], &banned["kept"]), (&Value::from(1), &Value::Bool(true)), "{banned}");
    let refused = agent.event("pool_refused").await;
    let why = refused["text"].as_str().unwrap();
    assert!(why.contains("banned this node") && why.contains("flood"), "{refused}");
    agent.kill().await;
    assert!(pool.interrupt().await.success());

    let (pool, url) = Vipnode::pool(&["--datadir", &datadir]).await;
    assert_eq!(admin(&datadir, &["bans"]).await["bans"][0]["target"], *node);
    let [rpc, key, state] = sim.args();
    let error = error_of(&["client", &url, &rpc, &key, &state]).await;
    assert!(error["text"].as_str().unwrap().contains("banned this node: flood"), "{error}");
    assert_eq!(admin(&datadir, &["unban", &node[..8]]).await["bans"], Value::Array(Vec::new()));
    let mut agent = sim.agent(&["client", &url]);
    agent.event("joined").await;

    let drained = admin(&datadir, &["drain", &node[..12]]).await;
    assert_eq!(drained["nodes"][0], *node);
    assert_eq!(admin(&datadir, &["nodes"]).await["nodes"][0]["drained"], true);
    assert_eq!(admin(&datadir, &["drain", &node, "--stop"]).await["nodes"], Value::Array(Vec::new()));
    assert!(agent.interrupt().await.success() && pool.interrupt().await.success());
}

/// Otherwise the banned client's node would go on dialing its host, and would show a lease that the pool has ended.
#[tokio::test]
async fn both_sides_of_a_lease_of_a_banned_client_end_it() {
    let (nodes, dir) = (Nodes::start().await, tempfile::tempdir().unwrap());
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let (_pool, url) = Vipnode::pool(&["--datadir", &datadir]).await;
    let mut host = nodes.agent("host", &url, &[]);
    host.event("joined").await;
    let mut client = nodes.agent("client", &url, &["--min-peers=1"]);
    client.event("host_connected").await;
    host.event("client_connected").await;
    let listed = admin(&datadir, &["nodes"]).await["nodes"].clone();
    let banned = listed.as_array().unwrap().iter().find(|node| node["client"] == true).unwrap()["node"].clone();
    admin(&datadir, &["ban", banned.as_str().unwrap(), "--reason", "flood"]).await;
    let evicted = host.event("client_evicted").await;
    assert!(evicted["text"].as_str().unwrap().contains("banned"), "{evicted}");
    // The host's node may disconnect the client's before the pool's call arrives: then the client has no reason to show yet.
    client.event("host_lost").await;
    assert!(client.event("pool_refused").await["text"].as_str().unwrap().contains("flood"));
    assert!(client.interrupt().await.success() && host.interrupt().await.success());
}

#[tokio::test]
async fn without_a_pool_the_commands_name_the_flag_that_helps() {
    let dir = tempfile::tempdir().unwrap();
    let output = ran(&["pool", "admin", "top", "--datadir", dir.path().to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("no pool responds") && error.contains("--datadir"), "{error}");
}

/// It may not be the directory that its user means: a pool runs with another one.
#[tokio::test]
async fn a_command_without_a_directory_names_the_one_it_uses_and_those_of_running_pools() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("running").to_str().unwrap().to_owned();
    let (pool, _) = Vipnode::pool(&["--datadir", &datadir]).await;
    let file = dir.path().join("backup.db").to_str().unwrap().to_owned();
    let said = async |line: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_vipnode"));
        let output = command.args(line).env("XDG_DATA_HOME", dir.path()).env("XDG_STATE_HOME", dir.path()).output();
        let output = output.await.unwrap();
        text(&output.stdout) + &text(&output.stderr)
    };
    let lines = [&["pool", "verify"][..], &["pool", "backup", &file], &["pool", "admin", "bans"]];
    // Other tests run pools at the same time, so it may be one of several.
    for line in lines {
        let said = said(line).await;
        assert!(said.contains(&datadir) && !said.contains("vipnode/pool"), "{line:?}: {said}");
    }
    let used = dir.path().join("vipnode/pool");
    std::fs::create_dir_all(&used).unwrap();
    std::fs::write(used.join("pool.db"), "").unwrap();
    for line in &lines[..2] {
        let said = said(line).await;
        let (used, flag) = (used.to_str().unwrap(), format!("--datadir {datadir}"));
        assert!(said.contains(used) && said.contains(&flag), "{line:?}: {said}");
    }
    assert!(pool.interrupt().await.success());
}

#[tokio::test]
async fn a_rotated_key_is_a_new_id_and_a_running_pool_keeps_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let id = async |mut pool: Vipnode| {
        let id = pool.event("pool_id").await["id"].as_str().unwrap().to_owned();
        (pool, id)
    };
    let (pool, first) = id(Vipnode::start(&["pool", "--bind", "127.0.0.1:0", "--datadir", &datadir])).await;
    let rotate = ["pool", "key", "rotate", "--datadir", &datadir, "--json"];
    let refused = ran(&rotate).await;
    assert!(!refused.status.success() && text(&refused.stderr).contains("Stop that process"), "{refused:?}");
    assert!(pool.interrupt().await.success());
    let rotated = ran(&rotate).await;
    let rotated: Value = serde_json::from_slice(&rotated.stdout).unwrap();
    assert_eq!(rotated["old"], *first);
    let (pool, second) = id(Vipnode::start(&["pool", "--bind", "127.0.0.1:0", "--datadir", &datadir])).await;
    assert!(rotated["id"] == *second && first != second);
    assert!(pool.interrupt().await.success());
}

const ACCOUNT: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// The list of accounts has this one only, which owes; it can be searched.
async fn only_account(datadir: &str, account: &Value) {
    assert_eq!(admin(datadir, &["accounts"]).await["accounts"][0], *account);
    for (filter, found) in [("0x529084", 1), ("529084", 1), ("0x6", 0), ("negative", 1), ("due", 0)] {
        let accounts = admin(datadir, &["accounts", filter]).await;
        assert_eq!(accounts["accounts"].as_array().unwrap().len(), found, "{filter}: {accounts}");
    }
}

#[tokio::test]
async fn what_the_operator_received_is_in_the_metrics() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let flags = ["--datadir", &*datadir, "--payment", "credit", "--asset", "USDC:6", "--price", "1 USDC/day"];
    let (pool, url) = Vipnode::pool(&flags).await;
    admin(&datadir, &["credit", ACCOUNT, "10.5 USDC", "--reason", "bank transfer"]).await;
    let address = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    let shown = async {
        while !get(&address, "/metrics").await.contains("vipnode_pool_received_units 10.5\n") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, shown).await.expect("the metrics show what was received");
    assert!(pool.interrupt().await.success());
}

#[tokio::test]
async fn what_the_operator_enters_in_the_ledger_is_durable_and_entered_once() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let flags = ["--datadir", &*datadir, "--payment", "credit", "--asset", "USDC:6", "--price", "1 USDC/day"];
    let (pool, _) = Vipnode::pool(&flags).await;
    let credit = ["credit", ACCOUNT, "10.5 USDC", "--reason", "bank transfer", "--key", "invoice-7"];
    let posted = admin(&datadir, &credit).await;
    assert_eq!(
        (&posted["entry"], &posted["account"]["funds"]["balance"]),
        (&Value::from(1), &Value::from("10500000")),
        "{posted}"
    );
    pool.kill().await;

    let (pool, _) = Vipnode::pool(&flags).await;
    let again = admin(&datadir, &credit).await;
    assert_eq!((&again["entry"], &again["repeated"]), (&Value::from(1), &Value::from(true)), "{again}");
    let shown = ran(&[&["pool", "admin"], &credit[..], &["--datadir", &datadir]].concat()).await;
    let (code, shown) = (shown.status.code(), text(&shown.stdout));
    assert!(code == Some(0) && shown.contains("posted with the same key, as ledger entry 1"), "{shown}");
    let beyond = ["debit", ACCOUNT, "11 USDC", "--reason", "returned"];
    let debited = admin(&datadir, &[&beyond[..], &["--allow-negative"]].concat()).await;
    assert_eq!(
        (&debited["entry"], &debited["account"]["funds"]["balance"]),
        (&Value::from(2), &Value::from("-500000")),
        "{debited}"
    );
    let limited = admin(&datadir, &["limit", ACCOUNT, "2 USDC"]).await;
    assert_eq!(limited["account"]["funds"]["available"], "1500000", "{limited}");
    assert_eq!(admin(&datadir, &["account", ACCOUNT]).await, limited["account"]);
    only_account(&datadir, &limited["account"]).await;
    let closed = admin(&datadir, &["close-period"]).await;
    assert_eq!((&closed["entry"], &closed["payouts"]), (&Value::from(4), &Value::Array(Vec::new())), "{closed}");
    assert_eq!(admin(&datadir, &["payouts"]).await["payouts"], Value::Array(Vec::new()));
    for (args, words) in [
        (&["credit", ACCOUNT, "1 ether", "--reason", "wrong"][..], "not a unit of USDC"),
        (
            &["credit", ACCOUNT, "3 USDC", "--reason", "other", "--key", "invoice-7"],
            "entry 1 of the ledger is a credit of 10.5 USDC to 0x52908400098527886E0F7030069857D2E4169EE7, and this is a \
             credit of 3 USDC",
        ),
        (&beyond, "would owe 11.5 USDC: the debit is more than its balance of -0.5 USDC"),
        (&beyond, "--allow-negative"),
        (&["credit", ACCOUNT, "10", "--reason", "no unit"], "Write the amount with its unit: USDC"),
        (&["credit", ACCOUNT, "0 USDC", "--reason", "nothing"], "the amount is 0"),
        (&["credit", ACCOUNT, "1 USDC", "--reason", " "], "the reason is blank"),
        (&["credit", ACCOUNT, "80000000000000000000000 USDC", "--reason", "typo"], "too large for one change"),
        (&["payout", "paid", "1", "ref"], "no payout"),
        (&["credit", ACCOUNT, "1 USDC", "--reason", &*"x".repeat(120_000)], "the pool accepts at most"),
        (&["account", "0x0000000000000000000000000000000000000009"], "never paid"),
        (&["statement", "0x0000000000000000000000000000000000000009"], "`vipnode pool admin accounts --datadir "),
        (&["statement", "0x0000000000000000000000000000000000000009", "--csv"], "never paid"),
    ] {
        let output = ran(&[&["pool", "admin"], args, &["--datadir", &datadir]].concat()).await;
        let error = text(&output.stderr);
        assert!(!output.status.success() && error.contains(words), "{args:?}: {error}");
    }
    assert!(pool.interrupt().await.success());
    let verified = ran(&["pool", "verify", "--datadir", &datadir]).await;
    assert!(verified.status.success(), "{}", text(&verified.stdout));

    let flags = ["pool", "--bind", "127.0.0.1:0", "--datadir", &*datadir, "--asset", "USDC:6"];
    let mut pool = Vipnode::start(&flags);
    assert_eq!(pool.event("payments").await["payment"], "none");
    assert!(pool.interrupt().await.success());
    let misspelled = ran(&["pool", "--payment", "cash"]).await;
    let error = text(&misspelled.stderr);
    assert!(error.contains("Use none, credit, or x402"), "{error}");
}

/// Who reads only the log has to see whose balance changed, and by how much.
#[tokio::test]
async fn the_log_names_the_account_and_the_amount_of_a_change() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let log = dir.path().join("log");
    let flags = ["pool", "--bind", "127.0.0.1:0", "--datadir", &*datadir, "--payment", "credit", "--asset", "USDC:6"];
    let flags = [&flags[..], &["--price", "1 USDC/day"]].concat();
    let mut pool = Vipnode::start_logging(&flags, &[], std::fs::File::create(&log).unwrap().into());
    pool.event("listening").await;
    admin(&datadir, &["credit", ACCOUNT, "10.5 USDC", "--reason", "bank transfer"]).await;
    assert!(pool.interrupt().await.success());
    let log = std::fs::read_to_string(&log).unwrap();
    let line = log.lines().find(|line| line.contains("the operator changed the ledger")).unwrap();
    for part in [ACCOUNT, "10.5 USDC", "bank transfer"] {
        assert!(line.contains(part), "{line}");
    }
}

#[tokio::test]
async fn a_pool_without_payments_or_without_a_store_has_no_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let (pool, _) = Vipnode::pool(&["--datadir", &datadir]).await;
    let output = ran(&["pool", "admin", "accounts", "--datadir", &datadir]).await;
    let error = text(&output.stderr);
    assert!(!output.status.success() && error.contains("--payment credit"), "{error}");
    assert!(pool.interrupt().await.success());
    let output = ran(&["pool", "--store", "memory", "--payment", "credit"]).await;
    let error = text(&output.stderr);
    assert!(!output.status.success() && error.contains("Remove --store memory"), "{error}");
}

/// Each command about a payout reports which, how much, and to whom; and a period without payouts leads to the one with them.
async fn each_payout_is_reported(datadir: &str, host: &str) {
    let shown = async |args: &[&str]| {
        let output = ran(&[&["pool", "admin"], args, &["--datadir", datadir]].concat()).await;
        text(&output.stdout) + &text(&output.stderr)
    };
    let bounced = shown(&["payout", "bounced", "1", "account closed"]).await;
    assert!(
        bounced.contains(&format!("Payout 1 (2 USDC to {host}) is marked as bounced: account closed")),
        "{bounced}"
    );
    let listed = shown(&["payouts", "--csv"]).await;
    assert!(listed.contains(",bounced,account closed"), "{listed}");
    let closed = shown(&["close-period"]).await;
    assert!(closed.contains("Closed period 2: 1 payout, 2 USDC"), "{closed}");
    let paid = shown(&["payout", "paid", "2", "transfer 2"]).await;
    assert!(paid.contains(&format!("Payout 2 (2 USDC to {host}) is marked as paid: transfer 2")), "{paid}");
    assert!(!paid.contains("As payer"), "{paid}");
    let empty = shown(&["close-period"]).await;
    assert!(empty.contains("Closed period 3: nothing was payable"), "{empty}");
    let none = shown(&["payouts"]).await;
    assert!(none.contains(&format!("payouts --period 2 --datadir {datadir}`")), "{none}");
}

/// What the operator enters is in the statement, the payouts, and the audit log, and the database stays whole when it is pruned.
#[tokio::test]
async fn the_operator_reads_corrects_pays_and_prunes_the_ledger() {
    const HOST: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let flags = ["--datadir", &datadir, "--payment", "credit", "--asset", "USDC:6", "--price", "1 USDC/day"];
    let (pool, _url) = Vipnode::pool(&flags).await;
    admin(&datadir, &["credit", HOST, "10 USDC", "--reason", "invoice 7"]).await;
    let corrected = ["correct", HOST, "2 USDC", "--reason", "wrong fee", "--key", "c1"];
    let first = admin(&datadir, &corrected).await;
    let mut again = first.clone();
    again["repeated"] = true.into();
    assert_eq!((&first["account"]["payable"], admin(&datadir, &corrected).await), (&Value::from("2000000"), again));
    let statement = admin(&datadir, &["statement", HOST]).await;
    assert_eq!(statement["closing"], serde_json::json!({"payer": "10000000", "host": "2000000"}));
    assert_eq!(
        (&statement["lines"][0]["reason"], statement["lines"].as_array().unwrap().len()),
        (&"invoice 7".into(), 2)
    );
    let csv = ran(&["pool", "admin", "statement", HOST, "--csv", "--datadir", &datadir]).await;
    let rows: Vec<String> = text(&csv.stdout).lines().map(str::to_owned).collect();
    assert!(rows.len() == 7 && rows[3].contains("credit,10,10,") && rows[4].contains("correction,2,2,"), "{rows:?}");

    admin(&datadir, &["close-period"]).await;
    let csv = ran(&["pool", "admin", "payouts", "--csv", "--datadir", &datadir]).await;
    assert_eq!(text(&csv.stdout).lines().nth(1), Some(&*format!("1,1,{HOST},2,USDC,due,")));
    let paid = admin(&datadir, &["payout", "paid-all", "1", "batch 1"]).await;
    assert_eq!((&paid["marked"], &paid["amount"]), (&1.into(), &"2000000".into()));
    let payouts = admin(&datadir, &["payouts"]).await;
    assert_eq!(
        (&payouts["payouts"][0]["state"], &payouts["payouts"][0]["reference"]),
        (&"paid".into(), &"batch 1".into())
    );
    let audit = admin(&datadir, &["audit", "--most", "2"]).await;
    assert_eq!(audit["records"][1]["params"][0]["change"]["kind"], "paid_all", "{audit}");
    assert!(audit["earlier"].is_u64());

    marks_paid_twice(&datadir).await;
    each_payout_is_reported(&datadir, HOST).await;
    marks_bounced_twice(&datadir).await;

    let removed = dir.path().join("removed.jsonl");
    let prune = async || {
        let pruned = ran(&["pool", "prune", "--to", removed.to_str().unwrap(), "--datadir", &datadir, "--json"]).await;
        let pruned: Value = serde_json::from_slice(&pruned.stdout).unwrap();
        assert_eq!((&pruned["event"], &pruned["entries"], removed.exists()), (&"pruned".into(), &0.into(), false));
    };
    prune().await;
    let fold = async || {
        let folded = ran(&["pool", "fold", "--datadir", &datadir, "--json"]).await;
        let folded: Value = serde_json::from_slice(&folded.stdout).unwrap();
        assert_eq!((&folded["event"], &folded["periods"]), (&"folded".into(), &0.into()));
    };
    fold().await;
    assert!(pool.interrupt().await.success());
    prune().await;
    fold().await;
    assert!(ran(&["pool", "verify", "--datadir", &datadir]).await.status.success());
}

/// Marks payout 1 of settlement period 1 again, which entry 4 has marked as paid.
async fn marks_paid_twice(datadir: &str) {
    for (args, words) in [
        (
            &["payout", "paid", "1", "again"][..],
            "marked as paid, with the reference \"batch 1\" (entry 4 of the ledger)",
        ),
        (&["payout", "paid", "1", "again"], "run `vipnode pool admin payout bounced 1 REASON"),
        (&["payout", "paid-all", "1", "again"], "payout 1 is marked as paid, with the text \"batch 1\""),
        (
            &["payout", "paid-all", "2", "again"],
            "settlement period 2 does not exist; the newest one that is closed is 1",
        ),
        (&["payout", "paid", "7", "again"], "no payout has the number 7"),
    ] {
        refused(datadir, args, words).await;
    }
}

/// Marks payout 1 again, which entry 5 has marked as bounced.
async fn marks_bounced_twice(datadir: &str) {
    let words = "marked as bounced, with the reason \"account closed\"";
    refused(datadir, &["payout", "bounced", "1", "returned"], &format!("{words} (entry 5 of the ledger)")).await;
    refused(datadir, &["payout", "paid", "1", "again"], words).await;
}

async fn refused(datadir: &str, args: &[&str], words: &str) {
    let output = ran(&[&["pool", "admin"], args, &["--datadir", datadir]].concat()).await;
    let error = text(&output.stderr);
    assert!(error.contains(words) && !output.status.success(), "{args:?}: {error}");
}
