use vipnode_pool::{
    DroppedPeers, FormerDatabase, LostEntries, RestoredDatabase, RestoredKey, RestoredPool, StoreError,
};

use vipnode_pool_core::{LedgerEntry, Transaction};
use vipnode_types::Amount;

use super::{pool_data_dir::default_dir, pool_database::on_a_thread};
use crate::{
    args::RestoreArgs,
    error::CliError,
    output::{
        Line, Screen, Tone,
        format::{counted, quoted},
    },
};

/// Puts a backup in the place of a pool's database.
pub(crate) async fn run(args: RestoreArgs, screen: Screen) -> Result<(), CliError> {
    let RestoreArgs { file, datadir, force, allow_other_pool } = args;
    let backup = file.display().to_string();
    let dir = default_dir(datadir, screen)?;
    let to = dir.display().to_string();
    let restored = on_a_thread(move || Ok(RestoredPool::restore(&dir, &file, force, allow_other_pool)?)).await?;
    restored_lines(&backup, &to, &restored).iter().for_each(|line| screen.say(line));
    Ok(())
}

fn restored_lines(backup: &str, datadir: &str, restored: &RestoredPool) -> Vec<Line> {
    let RestoredPool { database: RestoredDatabase { seq, incarnation, pool, former }, key } = restored;
    let text = format!("Restored the database in {datadir} from {backup}, as of change {seq}");
    let line = Line::new("restored", Tone::Good, text).with("file", backup).with("seq", *seq).with("datadir", datadir);
    let pool = pool.map(|id| id.to_string());
    let mut lines = vec![line.with("incarnation", *incarnation).with("pool_id", pool.clone())];
    if let Some(FormerDatabase { file, entries, peers }) = former {
        let file = file.display().to_string();
        let text = format!("The previous database is now {file}");
        lines.push(Line::new("former_database", Tone::Plain, text).with("file", file));
        match (entries, peers) {
            // The same error: nothing of the database can be read.
            (Err(error), Err(_)) => lines.push(unreadable_line(error)),
            _ => {
                lines.extend(entry_lines(datadir, entries));
                lines.extend(peer_lines(peers));
            }
        }
    }
    lines.extend(key_line(datadir, pool.as_deref(), key));
    lines
}

fn unreadable_line(error: &StoreError) -> Line {
    let text = format!(
        "The previous database cannot be read: {error}. It is not known which entries of the ledger are lost, and nodes \
         that use protocol 2 keep peers from leases that only it has"
    );
    Line::new("former_unreadable", Tone::Warning, text).with("reason", error.to_string())
}

/// What of the ledger was posted after the backup.
fn entry_lines(datadir: &str, entries: &Result<LostEntries, StoreError>) -> Vec<Line> {
    let lost = match entries {
        Ok(lost) if lost.count == 0 && lost.pruned == 0 => return Vec::new(),
        Ok(lost) => lost,
        Err(error) => {
            let text = format!("It is not known which entries of the ledger are lost: {error}");
            return vec![Line::new("lost_entries", Tone::Warning, text).with("reason", error.to_string())];
        }
    };
    let LostEntries { asset, count, last, first: _, pruned, credits, debits, costs, payouts, orders, num_orders } =
        lost;
    let text = format!("The backup lacks {}", lost.describe());
    let line = Line::new("lost_entries", Tone::Warning, text).with("entries", *count).with("last", *last);
    let line = line.with("pruned", *pruned);
    let sums = [("credits", credits), ("debits", debits), ("costs", costs), ("payouts", payouts)];
    let line = sums.into_iter().fold(line, |line, (name, sum)| line.with(name, sum.get().to_string()));
    let line = match num_orders {
        0 => line,
        _ => line.hint(&format!(
            "After the pool has started, repeat your changes, with the same keys (no key is posted twice): {}",
            repeats(orders, datadir).join(", ")
        )),
    };
    let mut lines = vec![line];
    if is_payout_listed_again(lost) {
        let text =
            "Payouts that you have already made may be listed again: compare each with your records before you pay";
        let hint = "Follow the steps under \"Data directory\" on the \"Operating a pool\" page of the book";
        lines.push(Line::new("repeated_payouts", Tone::Warning, text).hint(hint));
    }
    for entry in orders {
        let (at, order) = (entry.at.rfc3339_seconds(), entry.transaction.order().cloned().unwrap_or_default());
        let mut text = format!("Lost entry {} of {at}: {}", entry.number, entry.transaction.describe(*asset));
        if !order.reason.is_empty() {
            text += &format!(" ({})", order.reason);
        }
        if let Some(key) = &order.key {
            text += &format!(", --key {}", quoted(key));
        }
        let line = Line::new("lost_entry", Tone::Plain, text).with("entry", entry.number).with("at_ms", entry.at.get());
        lines.push(line.with("order", entry.transaction.name()).with("reason", order.reason).with("key", order.key));
    }
    let listed = u64::try_from(orders.len()).unwrap_or(u64::MAX);
    let more = num_orders.saturating_sub(listed);
    if more > 0 {
        let text = format!("Not listed: {} by the operator", counted(more, "further change"));
        lines.push(Line::new("more_lost_entries", Tone::Plain, text).with("entries", more));
    }
    lines
}

/// The command that repeats each kind of the operator's changes.
fn repeats(orders: &[LedgerEntry], datadir: &str) -> Vec<String> {
    let mut commands: Vec<&str> = Vec::new();
    for entry in orders {
        let command = match entry.transaction {
            Transaction::Credit { .. } => "credit ACCOUNT AMOUNT --reason TEXT --key KEY",
            Transaction::Debit { .. } => "debit ACCOUNT AMOUNT --reason TEXT --key KEY",
            Transaction::Limit { .. } => "limit ACCOUNT AMOUNT --key KEY",
            Transaction::WriteOff { .. } => "write-off ENTRY --reason TEXT --key KEY",
            Transaction::Correction { .. } => "correct ACCOUNT AMOUNT --reason TEXT --key KEY",
            Transaction::Period { .. } => "close-period",
            Transaction::Paid { .. } => "payout paid ID REF",
            Transaction::Bounced { .. } => "payout bounced ID REASON",
            Transaction::Voucher { .. }
            | Transaction::Claimed { .. }
            | Transaction::Lease { .. }
            | Transaction::Overbilled { .. }
            | Transaction::Collected { .. } => continue,
        };
        if !commands.contains(&command) {
            commands.push(command);
        }
    }
    let whole = |command: &str| format!("`vipnode pool admin {command} --datadir {}`", quoted(datadir));
    commands.into_iter().map(whole).collect()
}

/// Whether the operator may have paid a payout that the backup has as due, or lists once the period is closed again.
fn is_payout_listed_again(lost: &LostEntries) -> bool {
    let settles =
        |entry: &LedgerEntry| matches!(entry.transaction, Transaction::Period { .. } | Transaction::Paid { .. });
    let listed = u64::try_from(lost.orders.len()).unwrap_or(u64::MAX);
    lost.payouts > Amount::ZERO || lost.pruned > 0 || lost.num_orders > listed || lost.orders.iter().any(settles)
}

/// What becomes of leases that only the former database has, on nodes whose agents do not report leases.
fn peer_lines(peers: &Result<DroppedPeers, StoreError>) -> Vec<Line> {
    const KEPT: &str = "nodes that use protocol 2 keep the peers of these leases";
    let (dropped, unreadable, problem) = match peers {
        Ok(DroppedPeers { count, unreadable, problem }) => (*count, *unreadable, problem.as_ref()),
        Err(error) => (0, 0, Some(error)),
    };
    let mut lines = Vec::new();
    if dropped > 0 {
        let peers = counted(dropped, "peer");
        let text =
            format!("Nodes that use protocol 2 will drop {peers} from leases that only the previous database has");
        lines.push(Line::new("lost_peers", Tone::Plain, text).with("peers", dropped));
    }
    if let Some(problem) = problem {
        let rows = if unreadable == 0 { "The leases".to_owned() } else { counted(unreadable, "lease") };
        let text = format!("{rows} in the previous database cannot be read: {problem}; {KEPT}");
        lines.push(Line::new("unreadable_leases", Tone::Warning, text).with("leases", unreadable));
    }
    lines
}

/// The key is not in a backup. Without it, the database is of no use to its agents.
fn key_line(datadir: &str, pool: Option<&str>, key: &RestoredKey) -> Option<Line> {
    let (text, hint) = match key {
        RestoredKey::Own => return None,
        RestoredKey::Other(id) => {
            let text = format!(
                "The key in {datadir} is that of the pool {id}, and the backup is of another pool{}",
                pool.map(|pool| format!(", {pool}")).unwrap_or_default()
            );
            let hint = "Ask the users of agents that remember the other pool to restart them with --accept-pool-key";
            (text, format!("{hint} {id}"))
        }
        RestoredKey::Missing => {
            let text = format!(
                "The key of the pool{} is not in {datadir}, because a backup does not contain it",
                pool.map(|pool| format!(" {pool}")).unwrap_or_default()
            );
            (
                text,
                format!(
                    "Before you start the pool, copy its key from its previous data directory: `cp PREVIOUS_DIR/pool-key {}`",
                    quoted(datadir)
                ),
            )
        }
    };
    Some(Line::new("pool_key", Tone::Warning, text).with("pool_id", pool).hint(&hint))
}

#[cfg(test)]
mod tests {
    use vipnode_pool_core::OperatorOrder;
    use vipnode_types::{Account, Asset, Ms, PoolKey};

    use super::*;

    const DIR: &str = "/var/lib/vipnode/pool";

    fn lost_entries() -> LostEntries {
        let order = |reason: &str, key: Option<&str>| OperatorOrder {
            by: Some(0),
            reason: reason.to_owned(),
            key: key.map(str::to_owned),
        };
        let payer = Account::new([0x52; 20]);
        let credit =
            Transaction::Credit { payer, amount: Amount::new(30_000_000), order: order("transfer", Some("invoice-7")) };
        let close = Transaction::Period { period: 3, order: order("", None) };
        let paid =
            Transaction::Paid { payout: 1, payee: payer, amount: Amount::new(1_000_000), order: order("ref", None) };
        let entry = |number, transaction| LedgerEntry { number, at: Ms::new(1_796_000_000_000 + number), transaction };
        LostEntries {
            asset: Asset::new("USDC", 6).unwrap(),
            count: 12,
            first: 4_712,
            last: 4_723,
            credits: Amount::new(30_000_000),
            costs: Amount::new(2_500_000),
            orders: vec![entry(4_713, credit), entry(4_720, close), entry(4_721, paid)],
            num_orders: 4,
            ..LostEntries::default()
        }
    }

    fn restored(
        entries: Result<LostEntries, StoreError>,
        peers: Result<DroppedPeers, StoreError>,
        key: RestoredKey,
    ) -> String {
        let file = "/var/lib/vipnode/pool/pool.db.before-1796000000000".into();
        let former = Some(FormerDatabase { file, entries, peers });
        let pool = Some(PoolKey::from_random([7; 32]).unwrap().id());
        let database = RestoredDatabase { seq: 17, incarnation: 1_796_000_000_000, pool, former };
        crate::tests::text_of(&restored_lines("pool-backup.db", DIR, &RestoredPool { database, key }))
    }

    #[test]
    fn snapshot_of_a_restore() {
        let problem = || StoreError::Corrupt { why: "pool.db: Invalid column type".to_owned() };
        let other = PoolKey::from_random([8; 32]).unwrap().id();
        let peers = DroppedPeers { count: 3, unreadable: 1, problem: Some(problem()) };
        let texts = [
            restored(Ok(LostEntries::default()), Ok(DroppedPeers::default()), RestoredKey::Own),
            restored(Ok(lost_entries()), Ok(peers), RestoredKey::Missing),
            restored(Err(problem()), Err(problem()), RestoredKey::Other(other)),
            restored(Err(problem()), Ok(DroppedPeers::default()), RestoredKey::Own),
        ];
        insta::assert_snapshot!("restored_database", crate::tests::at_each_width(&texts.join("\n")));
    }
}
