use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;
use vipnode_pool::{PoolMetrics, PoolSummary, RefusalCount};
use vipnode_types::counted;

use super::status_line_text::pool_line;
use crate::output::{Line, Screen, Tone};

/// Refusals of more reasons are summed.
const REASONS: usize = 5;

/// The line of figures that a pool writes at an interval until this is dropped. On a terminal the live line shows them.
pub(crate) struct PoolFigures {
    _task: Option<AbortOnDropHandle<()>>,
}

type Refusals = Vec<RefusalCount>;

impl PoolFigures {
    /// Writes the figures of a pool; `every` of zero writes none.
    pub(crate) fn write(metrics: PoolMetrics, every: Duration, screen: Screen) -> Self {
        let wanted = !every.is_zero() && screen.live().is_none();
        Self { _task: wanted.then(|| AbortOnDropHandle::new(tokio::spawn(run(metrics, every, screen)))) }
    }
}

async fn run(metrics: PoolMetrics, every: Duration, screen: Screen) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let (mut before, mut refused) = (metrics.summary(), metrics.refusals());
    loop {
        ticks.tick().await;
        let (now, refusals) = (metrics.summary(), metrics.refusals());
        screen.say(&line(&before, &now, since(&refused, &refusals), every));
        (before, refused) = (now, refusals);
    }
}

/// What was refused between two moments, the most frequent reason first.
fn since(before: &Refusals, now: &Refusals) -> Refusals {
    let earlier = |reason| before.iter().find(|other| other.reason == reason).map_or(0, |other| other.total);
    let news = now.iter().map(|now| RefusalCount { total: now.total.saturating_sub(earlier(now.reason)), ..*now });
    let mut news: Refusals = news.filter(|refusals| refusals.total > 0).collect();
    news.sort_by_key(|refusals| std::cmp::Reverse(refusals.total));
    news
}

fn line(before: &PoolSummary, now: &PoolSummary, refused: Refusals, every: Duration) -> Line {
    let mut text = pool_line(before, now, every);
    let sum = |refused: &[RefusalCount]| refused.iter().fold(0_u64, |sum, one| sum.saturating_add(one.total));
    let total = sum(&refused);
    if total > 0 {
        let (named, others) = refused.split_at(refused.len().min(REASONS));
        let mut shown: Vec<String> = named.iter().map(|one| format!("{} {}", one.total, one.words)).collect();
        let rest = sum(others);
        if rest > 0 {
            shown.push(counted(rest, "other"));
        }
        text += &format!(" · {total} refused: {}", shown.join(", "));
    }
    let refused: serde_json::Map<String, serde_json::Value> =
        refused.into_iter().map(|one| (one.reason.to_owned(), one.total.into())).collect();
    Line::new("figures", Tone::Plain, text)
        .with("hosts", now.hosts)
        .with("clients", now.clients)
        .with("leases", now.leases)
        .with("running", now.running)
        .with("free_slots", now.free_slots)
        .with("waiting", now.waiting)
        .with("requests", now.requests.saturating_sub(before.requests))
        .with("refused", refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshot_of_the_figures() {
        let now =
            PoolSummary { hosts: 12, clients: 1, leases: 30, running: 28, free_slots: 90, waiting: 1, requests: 1_234 };
        let minute = Duration::from_secs(60);
        let refused = refusals(&[("NotMember", 20), ("Busy", 1)]);
        let said = [
            line(&PoolSummary::default(), &PoolSummary::default(), Vec::new(), minute),
            line(&PoolSummary::default(), &now, refused, minute),
        ];
        insta::assert_snapshot!("figures", crate::tests::at_each_width(&crate::tests::text_of(&said)));
    }

    fn refusals(totals: &[(&'static str, u64)]) -> Refusals {
        let all = PoolMetrics::default().refusals();
        let of = |(reason, total): &(&str, u64)| {
            let named = all.iter().find(|one| one.reason == *reason).unwrap();
            RefusalCount { total: *total, ..*named }
        };
        totals.iter().map(of).collect()
    }

    #[test]
    fn refusals_are_summed_by_reason() {
        let before = refusals(&[("NotMember", 3), ("Busy", 9), ("Unauthorized", 1)]);
        let now = refusals(&[("NotMember", 4), ("Busy", 29), ("Unauthorized", 1)]);
        let one_host = PoolSummary { hosts: 1, requests: 120, ..PoolSummary::default() };
        let line = line(&PoolSummary::default(), &one_host, since(&before, &now), Duration::from_secs(60));
        assert!(line.text.starts_with("pool · 1 host, 0 clients"), "{}", line.text);
        assert!(line.text.ends_with(" · 21 refused: 20 over a limit, 1 not a member"), "{}", line.text);
        assert_eq!(line.fields["refused"]["Busy"], 20, "programs get the code");
        let many: Refusals =
            ["a", "b", "c", "d", "e", "f", "g"].map(|words| RefusalCount { reason: words, words, total: 2 }).to_vec();
        let text = super::line(&one_host, &one_host, many, Duration::from_secs(60)).text;
        assert!(text.ends_with(" · 14 refused: 2 a, 2 b, 2 c, 2 d, 2 e, 4 others"), "{text}");
    }
}
