use std::time::Duration;

use anstyle::Style;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;
use vipnode_agent::local::StatusSource;
use vipnode_pool::PoolMetrics;

use super::status_line_text::{agent_line, pool_line};
use crate::output::{LiveLine, Screen, Styled, terminal};

/// The line is updated this often.
const EVERY: Duration = Duration::from_secs(1);

/// The line on a terminal, below all notices, that shows the current state of a role until it is dropped. Not shown in a
/// pipe or with `--json`.
pub(crate) struct StatusLine {
    screen: Screen,
    _task: Option<AbortOnDropHandle<()>>,
}

impl StatusLine {
    /// Shows an agent, once it has found its node.
    pub(crate) fn of_agent(source: StatusSource, screen: Screen) -> Self {
        Self::run(screen, async move |line| {
            let mut ticks = ticks();
            // Its first look at the node is under way.
            ticks.tick().await;
            ticks.tick().await;
            while let Some(status) = source.status().await {
                line.set(dim(&agent_line(status)));
                ticks.tick().await;
            }
        })
    }

    /// Shows a pool.
    pub(crate) fn of_pool(metrics: PoolMetrics, screen: Screen) -> Self {
        Self::run(screen, async move |line| {
            let (mut ticks, mut before) = (ticks(), metrics.summary());
            loop {
                ticks.tick().await;
                let now = metrics.summary();
                line.set(dim(&pool_line(&before, &now, EVERY)));
                before = now;
            }
        })
    }

    fn run<F>(screen: Screen, show: impl FnOnce(&'static LiveLine) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = screen.live().map(|line| AbortOnDropHandle::new(tokio::spawn(show(line))));
        Self { screen, _task: task }
    }
}

fn dim(text: &str) -> String {
    let mut styled = Styled::default();
    styled.push_styled(Style::new().dimmed(), text);
    terminal::colored(&styled)
}

fn ticks() -> Interval {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        if let Some(line) = self.screen.live() {
            line.end();
        }
    }
}
