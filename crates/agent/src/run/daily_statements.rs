use std::{collections::BTreeSet, time::Duration};

use tokio::time::sleep;
use vipnode_agent_core::PoolState;
use vipnode_types::{
    Failure, Ms, TypedError, UtcDay,
    wire::{DailyStatement, DailyStatementRequest, DailySums, ErrorCode, SignedDailyStatement, WireError},
};

use super::{
    own_meter::{OBSERVE_MS, OwnMeter},
    statement_fault::StatementFault,
    statement_schedule::{NextStatement, StatementSchedule},
};
use crate::{
    AgentError, AgentNotice,
    clock::{Clock, wall},
    limits::StatementLimits,
    local::{AgentStatus, StatusSource},
    notifier::Notifier,
    state::KeptStatements,
};

/// Asks the pool of a host for the statement that it signs for each day, and keeps it: what the host is owed does not depend on
/// what the pool states later.
///
/// A hostile pool can refuse a statement, which the host shows, but it cannot make the host lose one, keep one that it did not
/// sign, or fill its disk.
pub(super) struct DailyStatements {
    source: StatusSource,
    kept: KeptStatements,
    schedule: StatementSchedule,
    /// What the host metered itself.
    meter: OwnMeter,
    /// When it looks at its leases again.
    observe: Ms,
    /// Bytes of one statement.
    most_bytes: usize,
    clock: Clock,
    notifier: Notifier,
}

/// How it ended to ask for a statement.
enum Asked {
    /// The pool signed it, and it is on the disk.
    Kept,
    /// It has no line, and is of a day before the host first ran: it states nothing that anybody expects.
    Empty,
    /// The pool did not answer, or has too much to do: later again.
    Later(u64),
    /// The pool refused it, or answered what is not valid.
    Refused,
}

/// When to look again whether the agent has joined its pool.
const LOOK_MS: u64 = 2_000;
/// When to look again whether clients of the pool pay.
const FREE_MS: u64 = 60 * 60 * 1_000;
/// When to ask again a pool that did not answer.
const RETRY_MS: u64 = 10 * 60 * 1_000;
/// Characters of a text from a pool that are shown.
const TEXT_CHARS: usize = 1_000;
/// The longest wait without a look at the wall clock.
const LONGEST_WAIT_MS: u64 = 60 * 60 * 1_000;

impl DailyStatements {
    /// `random` selects when in the time that the limits allow the host asks.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub(super) fn new(
        source: StatusSource,
        kept: KeptStatements,
        limits: &StatementLimits,
        random: u64,
        notifier: Notifier,
    ) -> Result<Self, AgentError> {
        let days: BTreeSet<UtcDay> = kept.days()?;
        let schedule = StatementSchedule::new(limits, random, days);
        let (most_bytes, clock) = (limits.daily_statement_bytes, Clock::start());
        let now = wall();
        let meter = kept.meter().unwrap_or_else(|error| {
            // It begins again; nothing else depends on it.
            notifier.notify(AgentNotice::Fault(Failure::of(&error)));
            None
        });
        let meter = meter.unwrap_or_else(|| OwnMeter::new(now));
        Ok(Self { source, kept, schedule, meter, observe: now, most_bytes, clock, notifier })
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            // A machine that was suspended has a later wall clock; one whose clock was set back goes on.
            let now = wall().max(self.clock.now());
            if self.observe <= now {
                self.observe(now).await;
                continue;
            }
            match self.schedule.next(now) {
                NextStatement::At(moment) => {
                    let until = moment.min(self.observe);
                    sleep(Duration::from_millis(until.since(now).clamp(1, LONGEST_WAIT_MS))).await;
                }
                NextStatement::Of(day) => self.get(day, now).await,
            }
        }
    }

    /// Looks which clients are connected whose leases cost something. Without a connection to the pool, nothing is billed.
    async fn observe(&mut self, now: Ms) {
        self.observe = now.plus(OBSERVE_MS);
        let Some(AgentStatus { pool, host, .. }) = self.source.status().await else { return };
        if pool.terms.as_ref().is_some_and(|terms| terms.payment.is_none()) {
            self.observe = now.plus(FREE_MS);
            return;
        }
        let host = host.filter(|host| pool.state == PoolState::Joined && host.payout.is_some());
        let leases = host.iter().flat_map(|host| &host.leases).filter(|lease| !lease.direct && !lease.ending);
        let paid = leases.filter(|lease| lease.price.is_some_and(|price| !price.is_free()));
        self.meter.observe(now, paid.filter_map(|lease| Some((lease.peer, lease.connected?))));
        self.keep_meter();
    }

    fn keep_meter(&self) {
        if let Err(error) = self.kept.keep_meter(&self.meter) {
            self.show(&error);
        }
    }

    async fn get(&mut self, day: UtcDay, now: Ms) {
        match self.ask(day).await {
            Asked::Kept | Asked::Empty => self.schedule.done(day),
            Asked::Later(wait_ms) => self.schedule.pause(now.plus(wait_ms)),
            Asked::Refused => self.schedule.refused(day, now),
        }
    }

    async fn ask(&mut self, day: UtcDay) -> Asked {
        let Some(status) = self.source.status().await else { return Asked::Later(LOOK_MS) };
        if status.pool.state != PoolState::Joined {
            return Asked::Later(LOOK_MS);
        }
        let charges = status.pool.terms.is_some_and(|terms| !terms.payment.is_none());
        if !charges || status.host.is_none() {
            return Asked::Later(FREE_MS);
        }
        match self.pages(day).await {
            Ok(pages) => self.keep(day, pages),
            Err(why) if why.is(ErrorCode::Busy) || why.is(ErrorCode::Server) => Asked::Later(RETRY_MS),
            Err(why) => {
                let why = Failure::of(&why.sanitized(TEXT_CHARS));
                self.show(&StatementFault::Refused { day, why });
                Asked::Refused
            }
        }
    }

    fn keep(&mut self, day: UtcDay, pages: Vec<SignedDailyStatement>) -> Asked {
        // What the pool signed is kept, also if it cannot be true: then it is a proof of that.
        if let Some(why) = pages.iter().find_map(|page| page.statement.problem()) {
            self.show(&StatementFault::Untrue { day, why });
        }
        if self.meter.began_after(day) && pages.iter().all(is_empty) {
            return Asked::Empty;
        }
        self.compare(day, &pages);
        match self.kept.keep(day, pages) {
            Ok(()) => Asked::Kept,
            Err(error) => {
                self.show(&error);
                Asked::Later(RETRY_MS)
            }
        }
    }

    /// Compares a whole statement with what the host metered itself.
    fn compare(&mut self, day: UtcDay, pages: &[SignedDailyStatement]) {
        let is_whole = pages.first().is_some_and(|first| u32::try_from(pages.len()) == Ok(first.statement.pages));
        if !is_whole {
            return;
        }
        if let Some(difference) = self.meter.compare(day, pages.iter().flat_map(|page| &page.statement.lines)) {
            self.show(&StatementFault::of(day, difference));
        }
        self.keep_meter();
    }

    /// Gets the pages of a day, as many as fit.
    async fn pages(&self, day: UtcDay) -> Result<Vec<SignedDailyStatement>, WireError> {
        let mut bytes = 0_usize;
        let mut pages: Vec<SignedDailyStatement> = Vec::new();
        for page in 1.. {
            let signed = self.source.daily_statement(DailyStatementRequest { day, page }).await?;
            if pages.first().is_some_and(|first| !signed.statement.is_of_same_day(&first.statement)) {
                // The pool was restored from a backup, or has another limit now.
                return Err(StatementFault::Changed { day }.into());
            }
            bytes = bytes.saturating_add(serde_json::to_string(&signed).map_or(usize::MAX, |json| json.len()));
            if bytes > self.most_bytes && !pages.is_empty() {
                self.show(&StatementFault::TooLarge { day, most_bytes: self.most_bytes });
                break;
            }
            let last = signed.statement.pages;
            pages.push(signed);
            if page >= last {
                break;
            }
        }
        Ok(pages)
    }

    fn show(&self, why: &dyn TypedError) {
        self.notifier.notify(AgentNotice::Fault(Failure::of(why)));
    }
}

/// Whether a page states that nothing was posted on the whole day.
fn is_empty(page: &SignedDailyStatement) -> bool {
    let DailyStatement { pages, day_sums, day_collected, lines, collected, .. } = &page.statement;
    *pages == 1
        && *day_sums == DailySums::default()
        && day_collected.is_empty()
        && lines.is_empty()
        && collected.is_empty()
}
