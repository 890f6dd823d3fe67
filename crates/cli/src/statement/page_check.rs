use vipnode_types::{
    Asset,
    wire::{Statement, StatementBalances, StatementSide},
};

use crate::error::CommandError;

/// Checks that the pages of the statement of an account follow from each other: a pool can answer anything.
#[derive(Debug, Default)]
pub(crate) struct PageCheck {
    pages: u32,
    /// The entry after which the next page begins.
    after: Option<u64>,
    /// What the page before ended with.
    end: Option<(Asset, StatementBalances)>,
}

impl PageCheck {
    /// Pages of a statement: each one advances, but a pool could always send another.
    pub(crate) const MOST: u32 = 100_000;

    /// Checks the next page.
    pub(crate) fn check(&mut self, page: &Statement) -> Result<(), CommandError> {
        self.pages = self.pages.saturating_add(1);
        let end = end(page).filter(|_| self.follows(page));
        self.end = Some(end.ok_or(CommandError::StatementSums { page: self.pages })?);
        let Some(next) = page.next else { return Ok(()) };
        if self.after.is_some_and(|after| next.entry <= after) {
            return Err(CommandError::StatementStuck);
        }
        if self.pages >= Self::MOST {
            return Err(CommandError::StatementPages { most: Self::MOST });
        }
        self.after = Some(next.entry);
        Ok(())
    }

    /// Whether a page opens with what the page before ended with.
    fn follows(&self, page: &Statement) -> bool {
        self.end.is_none_or(|(asset, balances)| page.asset == asset && page.opening == Some(balances))
    }
}

/// What a page ends with; `None` if its lines do not lead there.
fn end(page: &Statement) -> Option<(Asset, StatementBalances)> {
    let mut balances = page.opening?;
    for line in &page.lines {
        let balance = match line.side {
            StatementSide::Payer => &mut balances.payer,
            StatementSide::Host => &mut balances.host,
            // Its balance is not among those of the page.
            StatementSide::Unknown => continue,
        };
        *balance = balance.checked_add(line.change)?;
    }
    (page.closing == Some(balances)).then_some((page.asset, balances))
}
