use std::{path::Path, process::ExitCode, time::Instant};

use vipnode_agent::clock;
use vipnode_pool::{
    DatabaseCheck, FoldedDatabase, InterruptedPrune, PoolError, PruneOrder, PrunePlan, PrunedDatabase, ReadLimits,
    SqliteReader, SqliteStore,
    admin::{AdminClient, FoldRequest, PruneRequest, admin_socket},
};
use vipnode_types::Ms;

use crate::{
    args::{BackupArgs, FoldArgs, PruneArgs, VerifyArgs},
    commands::pool_data_dir::chosen_dir,
    error::CliError,
    output::{
        Line, Screen, Tone,
        format::{counted, rounded, span},
    },
};

/// Copies the database of a pool.
pub(crate) async fn back_up(args: BackupArgs, screen: Screen) -> Result<(), CliError> {
    let BackupArgs { file, datadir } = args;
    let dir = chosen_dir(datadir, screen)?;
    let (from, to) = (dir.display().to_string(), file.display().to_string());
    let seq = on_a_thread(move || Ok(reader(&dir)?.back_up(&file)?)).await?;
    screen.say(&backed_up_line(&from, &to, seq));
    Ok(())
}

fn backed_up_line(datadir: &str, file: &str, seq: u64) -> Line {
    let text = format!("Copied the database in {datadir} to {file}, as of change {seq}");
    Line::new("backed_up", Tone::Good, text).with("file", file).with("datadir", datadir).with("seq", seq)
}

/// Removes old entries from the journals of a pool, first those of a prune that was interrupted.
pub(crate) async fn prune(args: PruneArgs, screen: Screen) -> Result<(), CliError> {
    let PruneArgs { keep, to, datadir } = args;
    let dir = chosen_dir(datadir, screen)?;
    let datadir = dir.display().to_string();
    let interrupted = {
        let dir = dir.clone();
        on_a_thread(move || Ok(InterruptedPrune::find(&dir)?)).await?
    };
    match interrupted {
        Some(InterruptedPrune::Unfinished(plan)) => {
            let is_this = plan.file.is_some() && plan.file == std::path::absolute(&to).ok();
            let finished = carry_out(&dir, plan).await?;
            screen.say(&finished_line(&datadir, &finished));
            if is_this {
                return Ok(());
            }
        }
        Some(InterruptedPrune::FileLost { file, why }) => screen.say(&lost_line(&datadir, &file, &why)),
        None => {}
    }
    let before = clock::wall().minus(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX));
    let pruned = if SqliteStore::is_in_use(&dir) {
        let from = dir.clone();
        let plan = on_a_thread(move || Ok(PrunePlan::write(&from, before, &to)?)).await?;
        prune_running(&dir, plan).await?
    } else {
        on_a_thread(move || Ok(PrunedDatabase::prune(&dir, before, &to)?)).await?
    };
    screen.say(&pruned_line(&datadir, &pruned));
    Ok(())
}

/// Removes what is in the file of a plan.
async fn carry_out(dir: &Path, plan: PrunePlan) -> Result<PrunedDatabase, CliError> {
    if SqliteStore::is_in_use(dir) {
        return prune_running(dir, plan).await;
    }
    let dir = dir.to_owned();
    on_a_thread(move || Ok(PrunedDatabase::finish(&dir, plan)?)).await
}

/// Has a running pool remove what is in the file of a plan, step by step. In between, it commits what its agents do.
async fn prune_running(dir: &Path, plan: PrunePlan) -> Result<PrunedDatabase, CliError> {
    let pool = AdminClient::new(admin_socket(dir));
    let PrunePlan { order, file } = plan;
    let mut pruned = PrunedDatabase { entries: 0, periods: 0, file, last_entry: order.last_entry };
    let PruneOrder { before: before_ms, last_entry, last_position } = order;
    let mut request = PruneRequest { before_ms, last_entry, last_position, position: None };
    while pruned.file.is_some() {
        let began = Instant::now();
        let step = pool.prune(&request).await?;
        pruned.entries = pruned.entries.saturating_add(step.entries);
        pruned.periods = pruned.periods.saturating_add(step.periods);
        if step.is_done {
            break;
        }
        request.position = Some(step.position);
        // Half of the time, the disk is free for the pool.
        tokio::time::sleep(began.elapsed()).await;
    }
    let dir = dir.to_owned();
    on_a_thread(move || Ok(PrunePlan::forget(&dir)?)).await?;
    Ok(pruned)
}

/// Folds old billing periods of one lease and day.
pub(crate) async fn fold(args: FoldArgs, screen: Screen) -> Result<(), CliError> {
    let FoldArgs { older, datadir } = args;
    let dir = chosen_dir(datadir, screen)?;
    let datadir = dir.display().to_string();
    let before = clock::wall().minus(u64::try_from(older.as_millis()).unwrap_or(u64::MAX));
    let folded = if SqliteStore::is_in_use(&dir) {
        let pool = AdminClient::new(admin_socket(&dir));
        on_a_thread(move || Ok(FoldedDatabase::check(&dir)?)).await?;
        fold_running(&pool, before).await?
    } else {
        on_a_thread(move || Ok(FoldedDatabase::fold(&dir, before)?)).await?
    };
    screen.say(&folded_line(&datadir, folded));
    Ok(())
}

/// Has a running pool fold billing periods step by step. In between, it commits what its agents do.
async fn fold_running(pool: &AdminClient, before_ms: Ms) -> Result<FoldedDatabase, CliError> {
    let (mut folded, mut after) = (FoldedDatabase { periods: 0 }, None);
    loop {
        let began = Instant::now();
        let step = pool.fold(&FoldRequest { before_ms, after }).await?;
        folded.periods = folded.periods.saturating_add(step.folded);
        after = Some(step.position);
        if step.is_done {
            return Ok(folded);
        }
        // Half of the time, the disk is free for the pool.
        tokio::time::sleep(began.elapsed()).await;
    }
}

fn folded_line(datadir: &str, folded: FoldedDatabase) -> Line {
    let FoldedDatabase { periods } = folded;
    let text = match periods {
        0 => format!("Nothing in {datadir} can be folded"),
        _ => format!("Folded {} into others in {datadir}", counted(periods, "billing period")),
    };
    Line::new("folded", Tone::Good, text).with("periods", periods).with("datadir", datadir)
}

fn pruned_line(datadir: &str, pruned: &PrunedDatabase) -> Line {
    let text = match &pruned.file {
        None => format!("Nothing in {datadir} is old enough to be removed"),
        Some(file) => format!("Removed {} in {datadir}; they are in {}", removed(pruned), file.display()),
    };
    with_counts(Line::new("pruned", Tone::Good, text), datadir, pruned)
}

/// An earlier prune was killed. Its file has what it removed, and what is removed now.
fn finished_line(datadir: &str, pruned: &PrunedDatabase) -> Line {
    let file = pruned.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
    let text = format!(
        "Finished an earlier prune of {datadir} that was interrupted: removed the remaining {}; they are in {file}",
        removed(pruned)
    );
    with_counts(Line::new("prune_finished", Tone::Good, text), datadir, pruned)
}

fn lost_line(datadir: &str, file: &Path, why: &str) -> Line {
    let file = file.display().to_string();
    let text = format!("An earlier prune of {datadir} was interrupted, and its file {file} cannot be used: {why}");
    let hint = "Keep that file if you have it: it contains entries that were removed. The entries that were not removed are still in \
                the database";
    Line::new("prune_file_lost", Tone::Warning, text).with("datadir", datadir).with("file", file).hint(hint)
}

fn removed(pruned: &PrunedDatabase) -> String {
    let PrunedDatabase { entries, periods, .. } = pruned;
    let entries = if *entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    format!("{entries} of the ledger and {}", counted(*periods, "billing period"))
}

fn with_counts(line: Line, datadir: &str, pruned: &PrunedDatabase) -> Line {
    let PrunedDatabase { entries, periods, file, last_entry } = pruned;
    let line = line.with("entries", *entries).with("periods", *periods);
    let line = line.with("last_entry", *last_entry).with("datadir", datadir);
    match file {
        Some(file) => line.with("file", file.display().to_string()),
        None => line,
    }
}

/// Checks the database of a pool.
pub(crate) async fn verify(args: VerifyArgs, screen: Screen) -> Result<ExitCode, CliError> {
    let VerifyArgs { file, datadir } = args;
    let is_backup = file.is_some();
    let path = file.map_or_else(|| chosen_dir(datadir, screen), Ok)?;
    let name = path.display().to_string();
    let open = move || if is_backup { Ok(SqliteReader::open_backup(&path)?) } else { reader(&path) };
    let check = on_a_thread(move || Ok(open()?.check()?)).await?;
    lines(&name, &check).iter().for_each(|line| screen.say(line));
    Ok(if check.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs work that may take long, so that Ctrl-C ends the command meanwhile.
pub(super) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(PoolError::Internal { why: error.to_string() }.into()))
}

fn lines(name: &str, check: &DatabaseCheck) -> Vec<Line> {
    let DatabaseCheck { seq, nodes, leases, periods, billed_ms, cost, asset, problems } = check;
    let time = span(u64::try_from(*billed_ms).unwrap_or(u64::MAX));
    let text = format!(
        "Checked {name}: {}, {}, and {} ({time}, {}), as of change {seq}; {}",
        counted(*nodes, "node"),
        counted(*leases, "running lease"),
        counted(*periods, "billing period"),
        rounded(*asset, *cost),
        counted(u64::try_from(problems.len()).unwrap_or(u64::MAX), "problem"),
    );
    let tone = if problems.is_empty() { Tone::Good } else { Tone::Bad };
    let summary = Line::new("verified", tone, text).with("seq", *seq).with("nodes", *nodes).with("leases", *leases);
    let summary = summary.with("database", name).with("periods", *periods).with("cost", cost.get().to_string());
    let problem = |problem: &String| Line::new("problem", Tone::Bad, problem.as_str());
    std::iter::once(summary).chain(problems.iter().map(problem)).collect()
}

fn reader(datadir: &Path) -> Result<SqliteReader, CliError> {
    Ok(SqliteReader::open(datadir, ReadLimits::WHOLE_DATABASE)?)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use vipnode_types::{Amount, Asset};

    use super::*;

    const DIR: &str = "/var/lib/vipnode/pool";

    #[test]
    fn snapshot_of_a_backup() {
        let lines = [backed_up_line(DIR, "pool-backup.db", 17)];
        insta::assert_snapshot!("backed_up_database", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }

    #[test]
    fn snapshot_of_a_pruned_database() {
        let file = Some(PathBuf::from("pool-2025.jsonl"));
        let pruned = PrunedDatabase { entries: 12_345, periods: 12_000, file, last_entry: 12_345 };
        let nothing = PrunedDatabase { entries: 0, periods: 0, file: None, last_entry: 12_345 };
        let lost = lost_line(DIR, Path::new("pool-2025.jsonl"), "No such file or directory (os error 2)");
        let lines = [pruned_line(DIR, &pruned), pruned_line(DIR, &nothing), finished_line(DIR, &pruned), lost];
        insta::assert_snapshot!("pruned_database", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }

    #[test]
    fn snapshot_of_a_folded_database() {
        let lines = [0, 1, 12_345].map(|periods| folded_line(DIR, FoldedDatabase { periods }));
        insta::assert_snapshot!("folded_database", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
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
        let lines = [lines(DIR, &well), lines("pool-backup.db", &DatabaseCheck { problems, ..well })].concat();
        insta::assert_snapshot!("database_check", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }
}
