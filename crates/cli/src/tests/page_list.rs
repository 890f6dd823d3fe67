//! Each page that a person reads has a snapshot at each width.

use std::{collections::BTreeMap, path::Path};

use super::{WIDTHS, commands};

/// The snapshots of each command's pages, next to that of its help. A command without one prints nothing for people, or
/// only what another command prints.
const PAGES: &[(&str, &[&str])] = &[
    ("vipnode", &["errors"]),
    ("pool", &["pool_start", "pool_running", "figures", "reload", "check_config"]),
    ("pool_admin", &["pool_admin"]),
    ("pool_admin_nodes", &["pool_admin"]),
    ("pool_admin_top", &["pool_admin"]),
    ("pool_admin_drain", &["pool_admin"]),
    ("pool_admin_audit", &["audit"]),
    ("pool_admin_leases", &["leases"]),
    ("pool_admin_ban", &["pool_admin"]),
    ("pool_admin_bans", &["pool_admin"]),
    ("pool_admin_unban", &["pool_admin"]),
    ("pool_admin_credit", &["ledger"]),
    ("pool_admin_debit", &["ledger"]),
    ("pool_admin_write-off", &["ledger"]),
    ("pool_admin_correct", &["ledger"]),
    ("pool_admin_limit", &["ledger"]),
    ("pool_admin_account", &["ledger"]),
    ("pool_admin_accounts", &["ledger"]),
    ("pool_admin_statement", &["statement"]),
    ("pool_admin_price", &["ledger"]),
    ("pool_admin_close-period", &["ledger"]),
    // It prints what `vipnode wallet` prints of a transaction.
    ("pool_admin_claim", &["wallet_transaction"]),
    ("pool_admin_epoch", &["epochs"]),
    ("pool_admin_payouts", &["ledger"]),
    ("pool_admin_payout", &[]),
    ("pool_admin_payout_paid", &["ledger"]),
    ("pool_admin_payout_paid-all", &["ledger"]),
    ("pool_admin_payout_bounced", &["ledger"]),
    ("pool_backup", &["backed_up_database"]),
    ("pool_verify", &["database_check"]),
    ("pool_prune", &["pruned_database"]),
    ("pool_fold", &["folded_database"]),
    ("pool_restore", &["restored_database"]),
    ("pool_key", &[]),
    ("pool_key_rotate", &["key_rotated"]),
    ("host", &["notices", "several_nodes", "reload"]),
    ("client", &["notices"]),
    ("agent", &["notices"]),
    ("link", &["link"]),
    ("account", &[]),
    ("account_link", &["account_text", "account_link"]),
    ("account_unlink", &["account_unlinked"]),
    ("account_show", &["account", "funds"]),
    ("account_statement", &["statement"]),
    ("account_daily-statements", &["daily_statements"]),
    ("wallet", &[]),
    ("wallet_new", &["wallet_new"]),
    ("wallet_import", &["wallet_new"]),
    ("wallet_address", &[]),
    ("wallet_balance", &["wallet_balance"]),
    ("wallet_deposit", &["wallet_transaction", "wallet_deposit", "wallet_deposits"]),
    ("wallet_withdraw", &["wallet_transaction", "wallet_withdraw"]),
    ("account_payout", &["account_payout"]),
    ("doctor", &["doctor"]),
    ("status", &["status", "why"]),
    ("ping", &["ping"]),
    ("release", &["release"]),
    ("demo", &["demo", "demo_balances"]),
    ("completions", &[]),
    ("man", &[]),
    ("version", &[]),
];

/// All snapshots of the binary, by the name that the test gave.
fn snapshots() -> BTreeMap<String, String> {
    let files =
        walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).into_iter().map(Result::unwrap);
    let named = files.filter_map(|file| {
        let name = file.file_name().to_str()?.strip_suffix(".snap")?.rsplit_once("__")?.1.to_owned();
        Some((name, std::fs::read_to_string(file.path()).unwrap()))
    });
    named.collect()
}

#[test]
fn each_page_has_a_snapshot_at_each_width() {
    let (snapshots, mut wrong) = (snapshots(), Vec::new());
    for (command, _) in commands() {
        let Some((_, pages)) = PAGES.iter().find(|(name, _)| *name == command) else {
            wrong.push(format!("{command} has no row"));
            continue;
        };
        for page in pages.iter().map(|page| (*page).to_owned()).chain([format!("help_{command}")]) {
            let text = snapshots.get(&page).map_or("", String::as_str);
            let missing = WIDTHS.iter().filter(|width| !text.contains(&format!("=== {width} columns\n")));
            wrong.extend(missing.map(|width| format!("{command}: {page} has no snapshot at {width} columns")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
