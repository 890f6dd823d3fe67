use tokio::sync::mpsc::UnboundedSender;
use vipnode_pool_core::ChainRequest;

/// What passes the core's requests about the chain on, in a pool whose clients deposit there.
///
/// The queue behind it has no limit of its own: the core asks once for each channel that it accepted, and for as many more as
/// `channel_reads` permits. An epoch waits for each answer; it asks about at most `epoch_rows` channels, and sends the transactions
/// that are not mined again every `send_again_ms`.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChainPort(Option<UnboundedSender<ChainRequest>>);

impl ChainPort {
    pub(crate) const fn new(requests: UnboundedSender<ChainRequest>) -> Self {
        Self(Some(requests))
    }

    /// Passes a request on. If nobody takes it, as while the pool stops, it is never answered: the core gives it up by itself.
    pub(super) fn ask(&self, request: ChainRequest) {
        if let Some(requests) = &self.0 {
            let _stops = requests.send(request);
        }
    }
}
