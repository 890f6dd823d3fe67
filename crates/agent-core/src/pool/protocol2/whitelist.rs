use vipnode_types::{
    Ms, NodeId, Price,
    wire::{AdmitCall, ErrorCode, Side, WireError},
};

use crate::{Action, AgentCore, FromPool, RequestTag, leases::lease::Lease};

impl AgentCore {
    /// A pool of the other protocol has nothing to call here.
    pub(crate) fn is_of_other_protocol(&self, call: &FromPool) -> Option<WireError> {
        let original = matches!(call, FromPool::Whitelist(_));
        (original != self.protocol2.is_some())
            .then(|| WireError::new(ErrorCode::MethodNotFound, "an agent of this protocol has no such method", ""))
    }

    /// The pool has a client let in (A23). Its name is ours, for the original gives none.
    pub(crate) fn whitelist(&mut self, now: Ms, tag: RequestTag, client: NodeId, out: &mut Vec<Action>) {
        let Some(protocol2) = &mut self.protocol2 else { return };
        let of_pool = |l: &&Lease| l.side == Side::Host && l.peer.id == client && l.runs() && !l.id.is_direct();
        let held = self.leases.iter().find(of_pool);
        let lease = match held.map(|lease| lease.id) {
            Some(lease) => {
                // It is given the whole time once more.
                protocol2.unseen.remove(&lease);
                lease
            }
            None => protocol2.new_lease(),
        };
        let client_version = String::new();
        self.admit(
            now,
            tag,
            &AdmitCall { lease, client, price: Price::FREE, client_enode: None, client_version, light: false },
            out,
        );
        self.role_is_clear(lease, out);
    }
}
