use tokio::sync::mpsc;

use crate::AgentNotice;

/// Sends notices to the user. Notices beyond the limit, or without a receiver, are dropped.
#[derive(Debug, Clone)]
pub(crate) struct Notifier(pub(crate) mpsc::Sender<AgentNotice>);

impl Notifier {
    pub(crate) fn notify(&self, notice: AgentNotice) {
        tracing::debug!(?notice);
        let _full_or_unheard = self.0.try_send(notice);
    }
}
