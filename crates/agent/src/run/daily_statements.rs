use std::{collections::BTreeSet, time::Duration};

use tokio::time::sleep;
use vipnode_agent_core::PoolState;
use vipnode_types::{
    Failure, Ms, TypedError, UtcDay,
    wire::{DailyStatementRequest, ErrorCode, SignedDailyStatement, WireError},
};

use super::{
    statement_fault::StatementFault,
    statement_schedule::{NextStatement, StatementSchedule},
};
use crate::{
    AgentError, AgentNotice,
    clock::{Clock, wall},
    limits::StatementLimits,
    local::StatusSource,
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
    /// Bytes of one statement.
    most_bytes: usize,
    clock: Clock,
    notifier: Notifier,
}

/// How it ended to ask for a statement.
enum Asked {
    /// It is kept.
    Kept,
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
        Ok(Self { source, kept, schedule, most_bytes, clock, notifier })
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            // A machine that was suspended has a later wall clock; one whose clock was set back goes on.
            let now = wall().max(self.clock.now());
            match self.schedule.next(now) {
                NextStatement::At(moment) => {
                    sleep(Duration::from_millis(moment.since(now).clamp(1, LONGEST_WAIT_MS))).await;
                }
                NextStatement::Of(day) => self.get(day, now).await,
            }
        }
    }

    async fn get(&mut self, day: UtcDay, now: Ms) {
        match self.ask(day).await {
            Asked::Kept => self.schedule.done(day),
            Asked::Later(wait_ms) => self.schedule.pause(now.plus(wait_ms)),
            Asked::Refused => self.schedule.refused(day, now),
        }
    }

    async fn ask(&self, day: UtcDay) -> Asked {
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

    fn keep(&self, day: UtcDay, pages: Vec<SignedDailyStatement>) -> Asked {
        // What the pool signed is kept, also if it cannot be true: then it is a proof of that.
        if let Some(why) = pages.iter().find_map(|page| page.statement.problem()) {
            self.show(&StatementFault::Untrue { day, why });
        }
        match self.kept.keep(day, pages) {
            Ok(()) => Asked::Kept,
            Err(error) => {
                self.show(&error);
                Asked::Later(RETRY_MS)
            }
        }
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
