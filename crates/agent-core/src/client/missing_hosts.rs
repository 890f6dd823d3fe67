use vipnode_types::Ms;

use crate::{Notice, limits};

/// The hosts that a client is missing, and of what the user was notified.
#[derive(Debug, Clone, Default)]
pub(crate) struct MissingHosts {
    /// The missing hosts of which the user was last notified.
    announced: Option<Missing>,
    /// Since when hosts are missing.
    since: Option<Ms>,
    /// Why the pool refused the last request for hosts: nobody pays for them.
    unpaid: Option<String>,
}

/// How many hosts are missing, why, and whether that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Missing {
    hosts: u32,
    why: Option<String>,
    late: bool,
}

impl Missing {
    fn is_news_after(&self, before: &Self) -> bool {
        let reason = before.why.is_none() && self.why.is_some();
        reason || (self.hosts, self.late) != (before.hosts, before.late)
    }
}

impl MissingHosts {
    /// Returns why hosts are missing, as last reported by the pool.
    pub(crate) fn why(&self) -> Option<&str> {
        let announced = || self.announced.as_ref()?.why.as_deref();
        self.unpaid.as_deref().or_else(announced)
    }

    /// Remembers that the pool assigns no host because nobody pays for it. The user is notified of a refusal anyway.
    pub(crate) fn refused_unpaid(&mut self, why: &str) {
        self.unpaid = Some(why.to_owned()).filter(|why| !why.is_empty());
    }

    /// As [`Self::announce`], with an answer of the pool. After a refusal, any reason is news: the refusal no longer counts.
    pub(crate) fn answered(
        &mut self,
        now: Ms,
        hosts: u32,
        why: Option<String>,
        retry_ms: Option<u64>,
    ) -> Option<Notice> {
        if self.unpaid.is_some() {
            self.forget_why();
        }
        self.announce(now, hosts, why, retry_ms)
    }

    /// Forgets why hosts are missing, because the pool assigned one since it gave the reason.
    fn forget_why(&mut self) {
        self.unpaid = None;
        if let Some(announced) = &mut self.announced {
            announced.why = None;
        }
    }

    /// Records that the pool assigned a host by itself, and how many are missing now. If none is, the next host that is lost has
    /// not been missing for long.
    pub(crate) fn assigned(&mut self, missing: u32) {
        self.forget_why();
        if missing == 0 {
            (self.announced, self.since) = (None, None);
        }
    }

    /// Returns when hosts of which the user was notified have been missing for some time; `None` after that.
    pub(crate) fn late_due(&self) -> Option<Ms> {
        self.announced.as_ref().filter(|announced| !announced.late)?;
        self.since.map(|since| since.plus(limits::MISSING_LATE_MS))
    }

    /// As [`Self::announce`], with the reason that the pool gave last.
    pub(crate) fn announce_late(&mut self, now: Ms, hosts: u32, retry_ms: Option<u64>) -> Option<Notice> {
        let why = self.why().map(str::to_owned);
        self.announce(now, hosts, why, retry_ms)
    }

    /// Returns a notice that so many hosts are missing and why, if their number changed, if that has lasted for some time,
    /// or if there was no reason before. A reason that only changes, as its counts of hosts do, is for the status.
    pub(crate) fn announce(
        &mut self,
        now: Ms,
        hosts: u32,
        why: Option<String>,
        retry_ms: Option<u64>,
    ) -> Option<Notice> {
        let since = self.since.take().unwrap_or(now);
        self.since = (hosts > 0).then_some(since);
        let late = now.since(since) >= limits::MISSING_LATE_MS;
        let news = (hosts > 0).then(|| Missing { hosts, why: why.filter(|why| !why.is_empty()), late });
        let before = std::mem::replace(&mut self.announced, news.clone());
        let is_news = |news: &Missing| before.is_none_or(|before| news.is_news_after(&before));
        let news = news.filter(is_news);
        news.map(|Missing { hosts, why, late }| Notice::HostsMissing { missing: hosts, why, late, retry_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_hosts_have_a_reason_only_if_the_pool_has_one() {
        let mut missing_hosts = MissingHosts::default();
        let mut at = |ms, missing, why| {
            (missing_hosts.announce(Ms::new(ms), missing, why, None), missing_hosts.why().map(str::to_owned))
        };
        let notice = |why, late| Some(Notice::HostsMissing { missing: 2, why, late, retry_ms: None });
        assert_eq!(at(0, 2, None), (notice(None, false), None));
        assert_eq!(at(1, 2, Some(String::new())), (None, None));
        let why = || Some("no host has a free slot".to_owned());
        assert_eq!(at(2, 2, why()), (notice(why(), false), why()));
        assert_eq!(at(3, 2, why()), (None, why()));
        let now_full = || Some("the only host on mainnet is full".to_owned());
        assert_eq!(at(4, 2, now_full()), (None, now_full()), "the status shows it");
        // Again once it lasts, and then no more.
        assert_eq!(at(30_000, 2, why()), (notice(why(), true), why()));
        assert_eq!(at(90_000, 2, why()), (None, why()));
        assert_eq!(at(90_001, 0, None), (None, None));
        assert_eq!(at(90_002, 2, why()), (notice(why(), false), why()), "they are missing again");
    }

    #[test]
    fn a_refusal_is_the_reason_until_the_pool_answers() {
        let mut missing_hosts = MissingHosts::default();
        let full = || Some("all 2 hosts are full".to_owned());
        missing_hosts.refused_unpaid("no account pays for this node");
        assert_eq!(missing_hosts.why(), Some("no account pays for this node"), "before any other reason");
        let notice = Some(Notice::HostsMissing { missing: 2, why: full(), late: false, retry_ms: None });
        assert_eq!(
            (missing_hosts.answered(Ms::new(1), 2, full(), None), missing_hosts.why().map(str::to_owned)),
            (notice.clone(), full())
        );
        missing_hosts.refused_unpaid("the account is empty");
        assert_eq!(missing_hosts.why(), Some("the account is empty"));
        assert_eq!(missing_hosts.answered(Ms::new(2), 2, full(), None), notice, "it counts again");
        missing_hosts.refused_unpaid("the account is empty");
        missing_hosts.forget_why();
        assert_eq!(missing_hosts.why(), None, "a host was assigned");
    }

    /// The next answer of the pool may come much later.
    #[test]
    fn the_warning_comes_on_time_without_an_answer() {
        let mut missing_hosts = MissingHosts::default();
        assert_eq!(missing_hosts.late_due(), None);
        let why = || Some("all 2 hosts are full".to_owned());
        missing_hosts.announce(Ms::new(5), 2, why(), None);
        let due = missing_hosts.late_due().unwrap();
        assert_eq!(due, Ms::new(5 + limits::MISSING_LATE_MS));
        let retry_ms = Some(90_000);
        let late = Some(Notice::HostsMissing { missing: 1, why: why(), late: true, retry_ms });
        assert_eq!((missing_hosts.announce_late(due, 1, retry_ms), missing_hosts.late_due()), (late, None));
    }
}
