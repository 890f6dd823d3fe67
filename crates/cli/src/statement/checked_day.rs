use std::path::PathBuf;

use serde_json::{Value, json};
use vipnode_agent::{AgentError, state::KeptStatement};
use vipnode_types::{
    Asset, PoolId, UtcDay,
    wire::{CollectedSums, DailyStatement, DailySums},
};

/// What is in a file with a daily statement, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckedDay {
    pub(crate) day: UtcDay,
    /// The beginning of the ID of the host's node.
    pub(crate) node: String,
    pub(crate) file: PathBuf,
    /// The URL of the pool; empty if the file cannot be read.
    pub(crate) url: String,
    pub(crate) pool: Option<PoolId>,
    pub(crate) asset: Asset,
    /// The sums of the day, which are on each page.
    pub(crate) sums: DailySums,
    /// Those of what was collected for earlier billing periods.
    pub(crate) collected: CollectedSums,
    /// Pages that are kept.
    pub(crate) kept: usize,
    /// Pages that the pool signed.
    pub(crate) pages: u32,
    pub(crate) problem: Option<String>,
}

impl CheckedDay {
    /// Checks a file of that name in the state directory of that node.
    pub(crate) fn of(day: UtcDay, node: &str, file: PathBuf, read: Result<&KeptStatement, &AgentError>) -> Self {
        let empty = Self {
            day,
            node: node.to_owned(),
            file,
            url: String::new(),
            pool: None,
            asset: Asset::default(),
            sums: DailySums::default(),
            collected: CollectedSums::default(),
            kept: 0,
            pages: 0,
            problem: None,
        };
        match read {
            Err(error) => Self { problem: Some(unreadable(error)), ..empty },
            Ok(kept) => {
                let checked =
                    Self { url: kept.url.clone(), kept: kept.pages.len(), problem: problem(day, node, kept), ..empty };
                match kept.pages.first() {
                    Some(first) => {
                        let DailyStatement { pool, asset, day_sums: sums, day_collected: collected, pages, .. } =
                            first.statement;
                        Self { pool: Some(pool), asset, sums, collected, pages, ..checked }
                    }
                    None => checked,
                }
            }
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "day": self.day,
            "node": self.node,
            "file": self.file.display().to_string(),
            "pool": self.url,
            "pool_id": self.pool,
            "asset": self.asset,
            "sums": self.sums,
            "collected": self.collected,
            "kept_pages": self.kept,
            "pages": self.pages,
            "problem": self.problem,
        })
    }
}

/// Why a file cannot be read, without its path.
fn unreadable(error: &AgentError) -> String {
    match error {
        AgentError::Damaged { why, .. } => why.clone(),
        AgentError::File { why, .. } => why.to_string(),
        error => error.to_string(),
    }
}

/// What is wrong with a statement.
fn problem(day: UtcDay, node: &str, kept: &KeptStatement) -> Option<String> {
    let Some(first) = kept.pages.first() else { return Some("the file has no pages".to_owned()) };
    for (number, page) in (1..).zip(&kept.pages) {
        let statement = &page.statement;
        let wrong = |why: &str| Some(format!("page {number}: {why}"));
        if page.verify().is_err() {
            return wrong("the pool's signature does not match");
        }
        if statement.day != day || statement.host.short() != node {
            return wrong("it is for a different day or node");
        }
        if !statement.is_of_same_day(&first.statement) || statement.page != number {
            return wrong("it is not the next page of this statement");
        }
        if let Some(why) = statement.problem() {
            return wrong(why);
        }
    }
    let is_whole = u32::try_from(kept.pages.len()) == Ok(first.statement.pages);
    let lines = kept.pages.iter().flat_map(|page| &page.statement.lines);
    let collected = kept.pages.iter().flat_map(|page| &page.statement.collected);
    let adds_up = !is_whole
        || DailySums::of(lines) == Some(first.statement.day_sums)
            && CollectedSums::of(collected) == Some(first.statement.day_collected);
    (!adds_up).then(|| "the lines of its pages do not add up".to_owned())
}
