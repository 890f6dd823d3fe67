use vipnode_pool_core::{AddressBlock, NodeView};
use vipnode_types::wire::WireError;

use super::{AdminNodes, AdminService, ListedNode, NodesRequest};
use crate::{
    call_refusal::CallRefusal,
    engine::{OperatorQuery, wall_clock},
    methods::Service,
};

/// Nodes that the core examines for one page. A page takes the core less than a millisecond.
const PAGE: u32 = 1_000;
/// Nodes of one answer, at most.
const MOST: u32 = 1_000;

/// The pages of all nodes, from a position on.
#[derive(Debug)]
pub(super) struct Pages {
    position: Option<u32>,
}

impl Pages {
    pub(super) const fn new(position: u32) -> Self {
        Self { position: Some(position) }
    }

    /// Returns the next page; `None` after the last.
    pub(super) async fn next(&mut self, service: &Service) -> Result<Option<Vec<NodeView>>, WireError> {
        let Some(position) = self.position else { return Ok(None) };
        let query = |answer| OperatorQuery::Nodes { position, most: PAGE, answer };
        let page =
            service.gateway.ask(query).await.ok_or(CallRefusal::Rebuilding { retry_ms: service.limits.retry_ms() })?;
        self.position = page.next;
        Ok(Some(page.nodes))
    }
}

/// Returns a page of the nodes.
pub(super) async fn nodes(admin: &AdminService, request: &NodesRequest) -> Result<AdminNodes, WireError> {
    let most = usize::try_from(request.most.clamp(1, MOST)).unwrap_or(usize::MAX);
    let mut pages = Pages::new(request.from.unwrap_or_default());
    let (mut nodes, mut next) = (Vec::new(), None);
    let filter = request.filter.as_ref().map(|filter| filter.to_lowercase());
    let is_meant = |view: &NodeView| {
        let on_chain = request.chain_id.is_none_or(|chain| view.chain_id == chain);
        on_chain && filter.as_ref().is_none_or(|filter| matches(view, filter))
    };
    'all: while let Some(page) = pages.next(&admin.service).await? {
        for view in page.into_iter().filter(is_meant) {
            if nodes.len() >= most {
                next = Some(view.position);
                break 'all;
            }
            nodes.push(node(view));
        }
    }
    let drains_pool = admin.service.access.bans_and_drains().drains().all;
    Ok(AdminNodes { now: wall_clock(), nodes, next, drains_pool })
}

/// Whether a node matches what the operator typed, in lower case.
fn matches(view: &NodeView, filter: &str) -> bool {
    let begins = |text: String| text.starts_with(filter);
    begins(view.id.to_string())
        || view.agent.is_some_and(|agent| begins(agent.to_string()))
        || view.address.is_some_and(|address| begins(address.to_canonical().to_string()))
        || [&view.agent_version, &view.client_version].iter().any(|version| version.to_lowercase().contains(filter))
}

fn node(view: NodeView) -> ListedNode {
    ListedNode {
        node: view.id,
        agent: view.agent,
        host: view.host,
        client: view.client,
        agent_version: view.agent_version,
        client_version: view.client_version,
        chain_id: view.chain_id,
        block: view.address.map_or(AddressBlock::ALL, AddressBlock::of).to_string(),
        address: view.address,
        connected: view.connected,
        since_ms: view.since,
        slots: view.slots,
        leases_as_host: view.leases_as_host,
        leases_as_client: view.leases_as_client,
        drained: view.drained,
    }
}
