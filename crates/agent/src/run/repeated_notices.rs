use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use vipnode_agent_core::Notice;
use vipnode_types::TypedError as _;

use super::notice_kinds::{NoticeKind, NoticeKinds};
use crate::{
    AgentNotice,
    limits::{NoticeLimits, REFUSAL_FIRST, REFUSAL_MAX, REFUSAL_MEMORY, REPEAT_FIRST, REPEAT_MAX, REPEATS},
};

/// Notices that were shown recently. One that comes again is counted, and the count is shown later: neither a pool that
/// rejects each request nor a node that fails each call fills the terminal or the log. A refusal that is counted is dropped once
/// it is over: shown later, it would read as the present state. Counting also happens to notices beyond
/// those of their kind, whatever their text, because a pool or a node can choose another one each time.
#[derive(Debug)]
pub(super) struct RepeatedNotices {
    recent: Vec<Recent>,
    kinds: NoticeKinds,
}

/// A notice that was shown, or its count.
#[derive(Debug)]
struct Recent {
    /// The most recent notice that it counts.
    notice: AgentNotice,
    counts: Counts,
    times: u64,
    /// When the most recent one was.
    last: Instant,
    period: Duration,
    until: Instant,
    /// Until then, the same notice counts as a repeat although its period ended without one.
    remembered: Instant,
}

/// Which notices are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// Those that repeat one that was shown.
    Repeats,
    /// Those of its kind that are not shown because of their number.
    Omitted,
}

impl RepeatedNotices {
    pub(super) const fn new(limits: NoticeLimits) -> Self {
        Self { recent: Vec::new(), kinds: NoticeKinds::new(limits) }
    }

    /// Forwards notices to the user, until there are no more.
    pub(super) async fn run(mut self, mut noticed: mpsc::Receiver<AgentNotice>, shown: mpsc::Sender<AgentNotice>) {
        let show = |notice| drop(shown.try_send(notice));
        loop {
            let due = self.recent.iter().map(|recent| recent.until).min();
            tokio::select! {
                biased;
                notice = noticed.recv() => match notice {
                    Some(notice) => self.add(Instant::now(), notice).into_iter().for_each(show),
                    None => break,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.expire(Instant::now()).into_iter().for_each(show);
                }
            }
        }
        self.end(Instant::now()).into_iter().for_each(show);
    }

    /// Returns the counts that are left when the agent ends. The states of its connections ended too.
    fn end(&mut self, now: Instant) -> Vec<AgentNotice> {
        self.recent.retain(|recent| !is_state(&recent.notice));
        take_counts(self.recent.iter_mut(), now)
    }

    /// Drops the refusals that a notice shows to be over: those that are counted are not shown any more, and one that was shown some
    /// time ago is news if it comes again.
    fn drop_refusals(&mut self, now: Instant, notice: &AgentNotice) {
        use Notice::{Connected, HostAssigned, HostConnected, HostsMissing, PoolRefused};
        let over = |refusal: &AgentNotice| match notice {
            AgentNotice::Notice(Connected { .. } | HostAssigned { .. } | HostConnected { .. }) => is_refusal(refusal),
            // An answer to a request for hosts.
            AgentNotice::Notice(HostsMissing { .. }) => matches!(refusal, AgentNotice::Notice(PoolRefused(_))),
            _ => false,
        };
        for recent in self.recent.iter_mut().filter(|recent| over(&recent.notice)) {
            recent.times = 0;
        }
        self.recent.retain(|recent| !over(&recent.notice) || recent.last + REPEAT_FIRST > now);
        // A refusal for another reason takes the place of the one that is counted.
        if let AgentNotice::Notice(PoolRefused(_)) = notice {
            let other = |recent: &Recent| matches!(recent.notice, AgentNotice::Notice(PoolRefused(_)));
            self.recent.retain(|recent| {
                recent.counts == Counts::Omitted || !other(recent) || is_repeat(&recent.notice, notice)
            });
        }
    }

    /// Adds a notice. Returns what to show now.
    fn add(&mut self, now: Instant, notice: AgentNotice) -> Vec<AgentNotice> {
        // First, because what is over must not be shown as due.
        self.drop_refusals(now, &notice);
        let mut show = self.expire(now);
        if let Some(recent) = self.recent.iter_mut().find(|recent| recent.is_repeated_by(&notice)) {
            recent.count(now, notice);
            return show;
        }
        if !self.kinds.may_show(now, &notice) {
            match self.recent.iter_mut().find(|recent| recent.omits(&notice)) {
                Some(recent) => recent.count(now, notice),
                None => self.recent.push(Recent::new(now, notice, Counts::Omitted)),
            }
            return show;
        }
        let repeats = self.recent.iter().enumerate().filter(|(_, recent)| recent.counts == Counts::Repeats);
        if repeats.clone().count() >= REPEATS
            && let Some((first, _)) = repeats.min_by_key(|(_, recent)| recent.until)
        {
            show.extend(self.recent.remove(first).take_count(now));
        }
        // A state that follows another one is news: after a disconnect is shown, so is the next connection.
        if let AgentNotice::Notice(Notice::PoolDisconnected { .. }) = notice {
            let joined = |recent: &Recent| matches!(recent.notice, AgentNotice::Notice(Notice::Connected { .. }));
            self.recent.retain(|recent| !joined(recent) || recent.times > 0);
        }
        show.push(notice.clone());
        self.recent.push(Recent::new(now, notice, Counts::Repeats));
        show
    }

    /// Returns the counts that are due. A notice that did not repeat is forgotten.
    fn expire(&mut self, now: Instant) -> Vec<AgentNotice> {
        self.recent.retain(|recent| recent.until > now || recent.times > 0 || recent.remembered > now);
        let due = self.recent.iter_mut().filter(|recent| recent.until <= now);
        take_counts(due.map(|recent| recent.begin_period(now)), now)
    }
}

/// The counts in the order in which their most recent notices came, so that the last one names the state that lasts.
fn take_counts<'a>(recents: impl Iterator<Item = &'a mut Recent>, now: Instant) -> Vec<AgentNotice> {
    let mut counts: Vec<_> = recents.filter_map(|recent| Some((recent.last, recent.take_count(now)?))).collect();
    counts.sort_by_key(|(last, _)| *last);
    counts.into_iter().map(|(_, notice)| notice).collect()
}

impl Recent {
    /// A notice that was shown, or the first one that is not.
    fn new(now: Instant, notice: AgentNotice, counts: Counts) -> Self {
        let times = u64::from(counts == Counts::Omitted);
        let period = if is_refusal(&notice) { REFUSAL_FIRST } else { REPEAT_FIRST };
        let remembered = now + memory(&notice);
        Self { notice, counts, times, last: now, period, until: now + period, remembered }
    }

    /// Begins the next period: a longer one if the notice repeated in this one.
    fn begin_period(&mut self, now: Instant) -> &mut Self {
        if self.times > 0 {
            let most = if is_refusal(&self.notice) { REFUSAL_MAX } else { REPEAT_MAX };
            self.period = self.period.saturating_mul(2).min(most);
        }
        self.until = now + self.period;
        self
    }

    fn is_repeated_by(&self, notice: &AgentNotice) -> bool {
        self.counts == Counts::Repeats && is_repeat(&self.notice, notice)
    }

    fn omits(&self, notice: &AgentNotice) -> bool {
        self.counts == Counts::Omitted && NoticeKind::of(&self.notice) == NoticeKind::of(notice)
    }

    fn count(&mut self, now: Instant, notice: AgentNotice) {
        self.remembered = now + memory(&notice);
        (self.notice, self.last) = (notice, now);
        self.times = self.times.saturating_add(1);
    }

    /// The count, if it is not zero; it begins again.
    fn take_count(&mut self, now: Instant) -> Option<AgentNotice> {
        let count = std::mem::take(&mut self.times);
        let notice = || Box::new(self.notice.clone());
        (count > 0).then(|| match self.counts {
            Counts::Repeats => {
                let ago_s = now.duration_since(self.last).as_secs();
                AgentNotice::Repeated { notice: notice(), times: count, ago_s }
            }
            Counts::Omitted => AgentNotice::Omitted { notice: notice(), count },
        })
    }
}

/// Whether the pool does not let the agent in, or could not be reached: the agent tries again until it can.
const fn is_refusal(notice: &AgentNotice) -> bool {
    use Notice::{PoolRefused, PoolUnreachable, PoolUntrusted};
    matches!(notice, AgentNotice::Notice(PoolRefused(_) | PoolUnreachable { .. } | PoolUntrusted { .. }))
}

/// Whether it is about a connection of the agent, which has another state once the agent ends.
const fn is_state(notice: &AgentNotice) -> bool {
    use Notice::{Connected, HostsMissing, NodeDisconnected, NodeReconnected, PoolDisconnected};
    let AgentNotice::Notice(inner) = notice else { return false };
    let state = matches!(
        inner,
        Connected { .. } | HostsMissing { .. } | NodeDisconnected { .. } | NodeReconnected | PoolDisconnected { .. }
    );
    state || is_refusal(notice)
}

const fn memory(notice: &AgentNotice) -> Duration {
    if is_refusal(notice) { REFUSAL_MEMORY } else { Duration::ZERO }
}

/// Whether two notices differ at most in a text that a pool or a node chose. A pool that refuses for another reason, or is not
/// connected for another kind of reason, is news.
fn is_repeat(one: &AgentNotice, other: &AgentNotice) -> bool {
    match (one, other) {
        (AgentNotice::Notice(one), AgentNotice::Notice(other)) => match (one, other) {
            // Its text is the reason, such as what an account has left.
            (Notice::PoolRefused(one), Notice::PoolRefused(other)) => {
                (one.code, &one.message) == (other.code, &other.message)
            }
            (Notice::PoolDisconnected { why: one }, Notice::PoolDisconnected { why: other })
            | (Notice::PoolUnreachable { why: one, .. }, Notice::PoolUnreachable { why: other, .. })
            | (Notice::PoolUntrusted { why: one }, Notice::PoolUntrusted { why: other }) => one.kind() == other.kind(),
            (Notice::Connected { .. }, Notice::Connected { .. })
            | (Notice::PrivateAddress { .. }, Notice::PrivateAddress { .. })
            | (Notice::NodeDisconnected { .. }, Notice::NodeDisconnected { .. }) => true,
            _ => one == other,
        },
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{
        Failure, LeaseId, NodeId,
        wire::{ErrorCode, WireError},
    };

    use super::*;

    fn repeated_notices() -> RepeatedNotices {
        RepeatedNotices::new(NoticeLimits::default())
    }

    fn lost(why: &str) -> AgentNotice {
        AgentNotice::Notice(Notice::NodeDisconnected { why: why.into() })
    }

    #[test]
    fn a_repeated_notice_is_shown_once_with_a_count() {
        let mut repeats = repeated_notices();
        let start = Instant::now();
        let mut shown = Vec::new();
        for second in 0..3_600_u64 {
            let now = start + Duration::from_secs(second);
            shown.extend(repeats.add(now, lost(&format!("null, {second}"))));
            shown.extend(repeats.add(now, AgentNotice::Notice(Notice::NodeReconnected)));
        }
        assert!(shown.len() < 32, "{} lines in an hour", shown.len());
        let times = |notice: &AgentNotice| match notice {
            AgentNotice::Repeated { times, .. } => *times,
            _ => 1,
        };
        let open: u64 = repeats.recent.iter().map(|recent| recent.times).sum();
        assert_eq!(shown.iter().map(times).sum::<u64>() + open, 7_200, "each is counted");
        let later = start + Duration::from_secs(36_000);
        repeats.expire(later);
        assert_eq!(repeats.add(later + REPEAT_MAX, lost("again")), [lost("again")], "forgotten");
    }

    #[test]
    fn a_pool_that_is_joined_again_is_shown_at_once() {
        let mut repeats = repeated_notices();
        let start = Instant::now();
        let joined = || AgentNotice::Notice(Notice::Connected { welcome: None, price: None, pool_id: None });
        let why = Failure::of(&WireError::new(ErrorCode::Server, "the pool is shutting down", "Connect again."));
        let lost = || AgentNotice::Notice(Notice::PoolDisconnected { why: why.clone() });
        let shown = |repeats: &mut RepeatedNotices, notice| repeats.add(start, notice).len();
        assert_eq!(
            (shown(&mut repeats, joined()), shown(&mut repeats, lost()), shown(&mut repeats, joined())),
            (1, 1, 1)
        );
        assert_eq!((shown(&mut repeats, lost()), shown(&mut repeats, joined())), (0, 0), "a pool that comes and goes");
    }

    #[test]
    fn another_cause_of_a_lost_connection_is_no_repeat() {
        let mut repeats = repeated_notices();
        let start = Instant::now();
        let lost = |code, text: &str| {
            let why = Failure::of(&WireError::new(code, text, "Connect again."));
            AgentNotice::Notice(Notice::PoolDisconnected { why })
        };
        let shown = |repeats: &mut RepeatedNotices, notice| repeats.add(start, notice).len();
        assert_eq!(shown(&mut repeats, lost(ErrorCode::Busy, "refused")), 1);
        assert_eq!(shown(&mut repeats, lost(ErrorCode::Busy, "refused again")), 0);
        assert_eq!(shown(&mut repeats, lost(ErrorCode::Server, "no route")), 1);
    }

    /// A pool that refuses an agent does so for days, every 5 minutes.
    #[test]
    fn a_refusal_is_shown_once_and_then_counted() {
        let mut repeats = repeated_notices();
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let refused = || {
            let error = WireError::new(ErrorCode::Unauthorized, "this pool is closed", "Ask its operator.");
            AgentNotice::Notice(Notice::PoolRefused(error))
        };
        assert_eq!(repeats.add(at(0), refused()), [refused()]);
        let mut counted = Vec::new();
        for second in 1..86_400 {
            counted.extend(repeats.expire(at(second)));
            if second % 300 == 0 {
                counted.extend(repeats.add(at(second), refused()));
            }
        }
        assert!(counted.len() < 32, "{} lines in a day", counted.len());
        let times = |notice: &AgentNotice| match notice {
            AgentNotice::Repeated { times, .. } => *times,
            other => panic!("{other:?}"),
        };
        let open: u64 = repeats.recent.iter().map(|recent| recent.times).sum();
        assert_eq!(counted.iter().map(times).sum::<u64>() + open, 86_399 / 300);
        let joined = AgentNotice::Notice(Notice::Connected { welcome: None, price: None, pool_id: None });
        let shown = repeats.add(at(86_700), joined.clone());
        assert_eq!(shown.last(), Some(&joined));
        assert_eq!(repeats.add(at(86_701), refused()), [refused()], "it is news again");
    }

    fn refused(why: &str) -> AgentNotice {
        AgentNotice::Notice(Notice::PoolRefused(WireError::new(ErrorCode::PaymentRequired, why, "Pay.")))
    }

    #[test]
    fn a_held_refusal_is_dropped_when_it_is_over() {
        let host = NodeId::new([7; 64]);
        let lease = LeaseId::new(1);
        let connected = Notice::Connected { welcome: None, price: None, pool_id: None };
        let missing = Notice::HostsMissing { missing: 1, why: None, late: false, retry_ms: None };
        for over in [connected, missing, Notice::HostConnected { lease, host, after_ms: Some(1) }] {
            let mut repeats = repeated_notices();
            let start = Instant::now();
            let at = |second| start + Duration::from_secs(second);
            assert_eq!(repeats.add(at(0), refused("no account pays")), [refused("no account pays")]);
            assert_eq!(repeats.add(at(12), refused("no account pays")), []);
            let over = AgentNotice::Notice(over);
            assert_eq!(repeats.add(at(60), over.clone()), std::slice::from_ref(&over), "also if the count is due");
            assert_eq!(repeats.expire(at(3_600)), [], "after {over:?}");
            let again = repeats.add(at(3_601), refused("no account pays"));
            assert_eq!(again, [refused("no account pays")], "it is news again");
        }
    }

    #[test]
    fn a_refusal_for_another_reason_is_shown_at_once_and_counts_from_one() {
        let mut repeats = repeated_notices();
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        repeats.add(at(0), refused("no account pays"));
        repeats.add(at(10), refused("no account pays"));
        assert_eq!(repeats.add(at(20), refused("the account is empty")), [refused("the account is empty")]);
        assert_eq!(repeats.add(at(30), refused("the account is empty")), []);
        let repeated =
            AgentNotice::Repeated { notice: Box::new(refused("the account is empty")), times: 1, ago_s: 3_570 };
        assert_eq!(repeats.expire(at(3_600)), [repeated], "only the same text counts");
    }

    #[test]
    fn an_agent_that_ends_shows_no_held_state() {
        let mut repeats = repeated_notices();
        let now = Instant::now();
        let fault = || AgentNotice::Fault(Failure::from("disk full"));
        for _ in 0..2 {
            repeats.add(now, refused("no account pays"));
            repeats.add(now, lost("gone"));
            repeats.add(now, fault());
        }
        let repeated = AgentNotice::Repeated { notice: Box::new(fault()), times: 1, ago_s: 0 };
        assert_eq!(repeats.end(now), [repeated]);
    }

    /// Of a pool that comes and goes, the last line is the state that lasts.
    #[test]
    fn counts_come_in_the_order_of_their_newest_notices() {
        let mut repeats = repeated_notices();
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let up = || AgentNotice::Notice(Notice::NodeReconnected);
        repeats.add(at(0), up());
        repeats.add(at(0), lost("gone"));
        repeats.add(at(1), lost("gone"));
        repeats.add(at(2), up());
        let shown = repeats.expire(start + REPEAT_FIRST);
        let ago_s = REPEAT_FIRST.as_secs();
        let repeated = |notice, ago_s| AgentNotice::Repeated { notice: Box::new(notice), times: 1, ago_s };
        assert_eq!(shown, [repeated(lost("gone"), ago_s - 1), repeated(up(), ago_s - 2)]);
    }

    /// The notices that are shown if a pool rejects each of `count` requests with another text, one a second.
    fn shown_of_a_varying_text(count: u64, limits: NoticeLimits) -> Vec<AgentNotice> {
        let mut repeats = RepeatedNotices::new(limits);
        let start = Instant::now();
        let missing = |number: u64| {
            let why = Some(format!("host {number} is full"));
            Notice::HostsMissing { missing: 1, why, late: false, retry_ms: None }
        };
        let mut shown = Vec::new();
        for number in 0..count {
            let now = start + Duration::from_secs(number);
            shown.extend(repeats.add(now, AgentNotice::Notice(missing(number))));
        }
        let end = start + Duration::from_secs(count);
        shown.extend(take_counts(repeats.recent.iter_mut(), end));
        shown
    }

    #[test]
    fn notices_of_one_kind_are_bounded_whatever_their_text() {
        let hour = 3_600;
        let notice_window = Duration::from_secs(1_800);
        let shown = shown_of_a_varying_text(hour, NoticeLimits { notices_of_a_kind: 20, notice_window });
        let omitted = shown.iter().filter_map(|notice| match notice {
            AgentNotice::Omitted { count, .. } => Some(*count),
            _ => None,
        });
        let (lines, omitted) = (omitted.clone().count(), omitted.sum::<u64>());
        assert_eq!(shown.len() - lines, 40, "as many as the limit allows in each of two windows");
        assert!(lines < 20, "{lines} counts");
        assert_eq!(omitted, hour - 40, "each is counted");
        assert!(
            matches!(shown.last(), Some(AgentNotice::Omitted { notice, .. })
            if format!("{notice:?}").contains("host 3599 is full")),
            "the newest is shown"
        );
    }

    #[test]
    fn a_flood_of_one_kind_hides_no_other() {
        let mut repeats = RepeatedNotices::new(NoticeLimits { notices_of_a_kind: 1, ..NoticeLimits::default() });
        let now = Instant::now();
        let changes = |changes| AgentNotice::Released { changes };
        assert_eq!(repeats.add(now, changes(1)).len(), 1);
        assert_eq!(repeats.add(now, changes(2)).len(), 0);
        assert_eq!(repeats.add(now, lost("no answer")).len(), 1);
        assert_eq!(repeats.add(now, AgentNotice::Notice(Notice::NodeReconnected)).len(), 1);
    }

    #[test]
    fn distinct_notices_are_bounded() {
        let mut repeats = RepeatedNotices::new(NoticeLimits { notices_of_a_kind: 1_000, ..NoticeLimits::default() });
        let now = Instant::now();
        for changes in 0..1_000 {
            assert_eq!(repeats.add(now, AgentNotice::Released { changes }).len(), 1);
        }
        assert_eq!(repeats.recent.len(), REPEATS);
    }
}
