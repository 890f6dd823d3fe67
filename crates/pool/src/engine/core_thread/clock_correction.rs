use std::{collections::BTreeSet, fmt, io, sync::Arc};

use vipnode_pool_core::{AcceptedClock, MeteredPeriod, Transaction};
use vipnode_store::{StoreError, StoreReader};
use vipnode_types::{Amount, Ms};

use crate::engine::{
    clock::check_clock,
    core_thread::{Broken, CoreThread},
    start_error::StartError,
};

/// What follows from a wall clock behind the stored time that the operator accepted: what may be overbilled is posted. Kept until
/// all of it is durable.
#[derive(Debug)]
pub(super) struct ClockCorrection {
    accepted: AcceptedClock,
    reader: Arc<dyn StoreReader>,
    /// The ticket of its last batch, once that was sent.
    sent: Option<u64>,
}

/// Records in the audit log that the operator accepted a clock while so many leases run.
pub(crate) type RecordClock = Box<dyn FnOnce(&AcceptedClock, u64) -> io::Result<()> + Send>;

/// The operator's acceptance of a clock that is far from the stored time.
pub(crate) struct ClockAcceptance {
    /// The user ID of the operator, if the system reports one.
    pub(crate) by: Option<u32>,
    pub(crate) record: RecordClock,
    /// Reads what was billed.
    pub(crate) reader: Arc<dyn StoreReader>,
}

impl fmt::Debug for ClockAcceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockAcceptance").field("by", &self.by).finish_non_exhaustive()
    }
}

/// Entries that are read at once. The earlier ones are in the next page.
const PAGE: usize = 1_000;

/// Billing periods of a page of the ledger, each with the number of its entry.
struct BilledPage {
    periods: Vec<(u64, MeteredPeriod)>,
    /// The number before which the next page ends; `None` after the last page.
    before: Option<u64>,
}

impl ClockCorrection {
    /// Checks the clock against the stored time. Records that the operator accepted it, if it is far from that and there is an
    /// acceptance.
    ///
    /// # Errors
    /// [`StartError::ClockBehind`] and [`StartError::ClockAhead`] without an acceptance, and [`StartError::Audit`].
    pub(super) fn of(
        (clock, stored): (Ms, Ms),
        acceptance: Option<ClockAcceptance>,
        running: u64,
    ) -> Result<Option<Self>, StartError> {
        let Err(far) = check_clock(clock, stored) else { return Ok(None) };
        let Some(ClockAcceptance { by, record, reader }) = acceptance else { return Err(far) };
        let accepted = AcceptedClock { stored, clock, by };
        record(&accepted, running).map_err(|source| StartError::Audit { source })?;
        Ok((clock < stored).then_some(Self { accepted, reader, sent: None }))
    }
}

impl CoreThread {
    /// Posts how much of what was billed may be for time that did not pass, and ends the running billing periods. Does nothing
    /// without an accepted clock; what was posted before is not posted again.
    ///
    /// # Errors
    /// Why the core has to be rebuilt.
    pub(super) fn correct_clock(&mut self) -> Result<(), Broken> {
        let Some(ClockCorrection { accepted, reader, .. }) = self.correction.take() else { return Ok(()) };
        let (mut entries, mut amount, mut posted) = (0_u64, Amount::ZERO, BTreeSet::new());
        let mut add = |(more, sum): (u64, Amount)| {
            entries = entries.saturating_add(more);
            amount = amount.checked_add(sum).unwrap_or(Amount::MAX);
        };
        let mut before = self.core.newest_entry().map(|newest| newest.saturating_add(1));
        while let Some(end) = before {
            let page = BilledPage::read(&*reader, end, &accepted, &mut posted).unwrap_or_else(|error| {
                tracing::error!(%error, "the ledger cannot be read, so what may be overbilled is not posted; start the pool again");
                BilledPage { periods: Vec::new(), before: None }
            });
            add(self.handle_by(|core, now, out| core.post_overbilled(now, &accepted, &page.periods, out))?);
            self.send_rows()?;
            before = page.before;
        }
        add(self.handle_by(|core, now, out| core.accept_clock(now, &accepted, out))?);
        self.send_rows()?;
        tracing::warn!(
            clock = %accepted.clock.rfc3339_seconds(),
            stored = %accepted.stored.rfc3339_seconds(),
            overbilled_periods = entries,
            overbilled = %self.limits.price.asset().show(amount),
            "the clock of this machine had been ahead; pool time continues from the latest stored time"
        );
        self.correction = Some(ClockCorrection { accepted, reader, sent: Some(self.effect_queue.begun()) });
        Ok(())
    }

    /// Forgets the correction once all of it is durable.
    pub(super) fn correction_committed(&mut self, ticket: u64) {
        if self.correction.as_ref().and_then(|correction| correction.sent).is_some_and(|sent| sent <= ticket) {
            self.correction = None;
        }
    }
}

impl BilledPage {
    /// Reads the entries before a number that were posted after the accepted time. Adds the entries about which something was
    /// posted to `posted`, and leaves them out.
    fn read(
        reader: &dyn StoreReader,
        before: u64,
        accepted: &AcceptedClock,
        posted: &mut BTreeSet<u64>,
    ) -> Result<Self, StoreError> {
        let mut snapshot = reader.read(0)?;
        let after = before.saturating_sub(1).saturating_sub(u64::try_from(PAGE).unwrap_or(u64::MAX));
        let mut entries = snapshot.entries(Some(after), PAGE)?;
        entries.retain(|entry| entry.number < before);
        let mut page = Self { periods: Vec::new(), before: Some(after.saturating_add(1)) };
        if after == 0 || entries.is_empty() {
            page.before = None;
        }
        for entry in entries.iter().rev() {
            if entry.at <= accepted.clock {
                page.before = None;
                break;
            }
            match entry.transaction {
                Transaction::Overbilled { entry, .. } => {
                    posted.insert(entry);
                }
                Transaction::Lease { lease, row, .. } if !posted.contains(&entry.number) => {
                    page.periods.extend(snapshot.period(lease, row)?.map(|period| (entry.number, period)));
                }
                _ => {}
            }
        }
        Ok(page)
    }
}
