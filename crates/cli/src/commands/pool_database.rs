use std::{path::PathBuf, process::ExitCode};

use vipnode_agent::clock;
use vipnode_pool::{DatabaseCheck, PoolError, PrunedDatabase, ReadLimits, RestoredDatabase, SqliteReader};

use crate::{
    args::{BackupArgs, PruneArgs, RestoreArgs, VerifyArgs},
    commands::pool_data_dir::default_data_dir,
    error::CliError,
    output::{
        Line, Screen, Tone,
        format::{counted, rounded, span},
    },
};

/// Copies the database of a pool.
pub(crate) async fn back_up(args: BackupArgs, screen: Screen) -> Result<(), CliError> {
    let BackupArgs { file, datadir } = args;
    let copied = file.display().to_string();
    let seq = on_a_thread(move || Ok(reader(datadir)?.back_up(&file)?)).await?;
    let file = copied;
    let text = format!("Copied the database to {file}, as of change {seq}");
    screen.say(&Line::new("backed_up", Tone::Good, text).with("file", file).with("seq", seq));
    Ok(())
}

/// Puts a backup in the place of a pool's database.
pub(crate) async fn restore(args: RestoreArgs, screen: Screen) -> Result<(), CliError> {
    let RestoreArgs { file, datadir, force } = args;
    let backup = file.display().to_string();
    let dir = datadir.map_or_else(default_data_dir, Ok)?;
    let restored = on_a_thread(move || Ok(RestoredDatabase::restore(&dir, &file, force)?)).await?;
    restored_lines(&backup, &restored).iter().for_each(|line| screen.say(line));
    Ok(())
}

/// Removes old entries from the journals of a pool.
pub(crate) async fn prune(args: PruneArgs, screen: Screen) -> Result<(), CliError> {
    let PruneArgs { keep, to, datadir } = args;
    let dir = datadir.map_or_else(default_data_dir, Ok)?;
    let before = clock::wall().minus(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX));
    let pruned = on_a_thread(move || Ok(PrunedDatabase::prune(&dir, before, &to)?)).await?;
    screen.say(&pruned_line(&pruned));
    Ok(())
}

fn pruned_line(pruned: &PrunedDatabase) -> Line {
    let PrunedDatabase { entries, periods, file, last_entry } = pruned;
    let text = match file {
        None => "Nothing is old enough to be removed".to_owned(),
        Some(file) => format!(
            "Removed {} of the ledger and {}; they are in {}",
            if *entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") },
            counted(*periods, "billing period"),
            file.display()
        ),
    };
    let line = Line::new("pruned", Tone::Good, text).with("entries", *entries).with("periods", *periods);
    let line = line.with("last_entry", *last_entry);
    match file {
        Some(file) => line.with("file", file.display().to_string()),
        None => line,
    }
}

fn restored_lines(backup: &str, restored: &RestoredDatabase) -> Vec<Line> {
    let RestoredDatabase { seq, incarnation, former } = restored;
    let text = format!("Restored the database from {backup}, as of change {seq} (incarnation {incarnation})");
    let line = Line::new("restored", Tone::Good, text).with("file", backup).with("seq", *seq);
    let former = former.as_ref().map(|former| {
        let former = former.display().to_string();
        Line::new("former_database", Tone::Plain, format!("The previous database is now {former}")).with("file", former)
    });
    std::iter::once(line.with("incarnation", *incarnation)).chain(former).collect()
}

/// Checks the database of a pool.
pub(crate) async fn verify(args: VerifyArgs, screen: Screen) -> Result<ExitCode, CliError> {
    let VerifyArgs { file, datadir } = args;
    let open = move || match file {
        Some(backup) => Ok(SqliteReader::open_backup(&backup)?),
        None => reader(datadir),
    };
    let check = on_a_thread(move || Ok(open()?.check()?)).await?;
    lines(&check).iter().for_each(|line| screen.say(line));
    Ok(if check.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs work that may take long, so that Ctrl-C ends the command meanwhile.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(PoolError::Internal { why: error.to_string() }.into()))
}

fn lines(check: &DatabaseCheck) -> Vec<Line> {
    let DatabaseCheck { seq, nodes, leases, periods, billed_ms, cost, asset, problems } = check;
    let time = span(u64::try_from(*billed_ms).unwrap_or(u64::MAX));
    let text = format!(
        "Checked {}, {}, and {} ({time}, {}), as of change {seq}: {}",
        counted(*nodes, "node"),
        counted(*leases, "running lease"),
        counted(*periods, "billing period"),
        rounded(*asset, *cost),
        counted(u64::try_from(problems.len()).unwrap_or(u64::MAX), "problem"),
    );
    let tone = if problems.is_empty() { Tone::Good } else { Tone::Bad };
    let summary = Line::new("verified", tone, text).with("seq", *seq).with("nodes", *nodes).with("leases", *leases);
    let summary = summary.with("periods", *periods).with("cost", cost.get().to_string());
    let problem = |problem: &String| Line::new("problem", Tone::Bad, problem.as_str());
    std::iter::once(summary).chain(problems.iter().map(problem)).collect()
}

fn reader(datadir: Option<PathBuf>) -> Result<SqliteReader, CliError> {
    let dir = datadir.map_or_else(default_data_dir, Ok)?;
    Ok(SqliteReader::open(&dir, ReadLimits::WHOLE_DATABASE)?)
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Amount, Asset};

    use super::*;

    #[test]
    fn snapshot_of_a_restore() {
        let former = Some(PathBuf::from("/var/lib/vipnode/pool/pool.db.before-1796000000000"));
        let restored = RestoredDatabase { seq: 17, incarnation: 1_796_000_000_000, former };
        let lines = restored_lines("pool-backup.db", &restored);
        insta::assert_snapshot!("restored_database", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }

    #[test]
    fn snapshot_of_a_pruned_database() {
        let file = Some(PathBuf::from("pool-2025.jsonl"));
        let pruned = PrunedDatabase { entries: 12_345, periods: 12_000, file, last_entry: 12_345 };
        let nothing = PrunedDatabase { entries: 0, periods: 0, file: None, last_entry: 12_345 };
        let lines = [pruned_line(&pruned), pruned_line(&nothing)];
        insta::assert_snapshot!("pruned_database", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }

    #[test]
    fn snapshot_of_a_check() {
        let well = DatabaseCheck {
            seq: 17,
            nodes: 2,
            leases: 1,
            periods: 3,
            billed_ms: 5_400_000,
            cost: Amount::new(9_000_000_000_000),
            asset: Asset::ETHER,
            problems: Vec::new(),
        };
        let problems = vec!["lease 7 is stored, but its node 10f3d14f68f6 is not".to_owned()];
        let lines = [lines(&well), lines(&DatabaseCheck { problems, ..well })].concat();
        insta::assert_snapshot!("database_check", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }
}
