use std::net::IpAddr;

use vipnode_types::{Failure, TypedError, errors, wire::ErrorCode};

errors! {
    /// Why an agent refuses a call from its pool, or rejects a host that the pool assigned.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Refusal {
        /// The call does not belong to the protocol that the agent and the pool use.
        OtherProtocol: MethodNotFound, "an agent that uses this protocol does not have this method",
            no_hint "the pool must call only methods of the protocol that the agent uses";
        /// The agent has a lease with this ID, but with another peer or on the other side.
        OtherLease: InvalidParams, "this lease ID belongs to a lease with another peer or on the other side",
            no_hint "the pool assigns lease IDs";
        /// The pool's call is about a lease that the agent has already ended or never had.
        NoLease: Refused, "this agent does not have that lease", no_hint "the pool drops the lease on its own";
        /// The pool is sending calls faster than the node can carry them out.
        TooManyCalls {
            /// How many wait.
            calls: usize,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "too many calls are waiting for this node ({calls})",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The agent is still undoing the lease with this ID.
        BeingUndone {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "this lease has ended and is being undone",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The agent is a client only.
        NotHost: Refused, "this agent does not sell slots", no_hint "the pool picks another host";
        /// The agent has lost the connection to its node.
        NodeDown: Refused, "the agent's node is down", no_hint "the agent keeps trying to reach it";
        /// The agent has begun to stop and no longer carries out the pool's calls.
        Stopping: Refused, "this agent is stopping", no_hint "the pool picks another agent";
        /// The host currently offers no slots.
        NotOffering {
            /// Why, as the node or the rules say it.
            why: String,
        }: Refused, "{why}", no_hint "the agent reports its slots as soon as it offers some";
        /// Each of the host's slots has a client.
        Full {
            /// Slots that the host sells.
            slots: u32,
        }: Full, "no slot is free ({slots} in use)", no_hint "the pool picks another host";
        /// The node limits the number of its light peers, and has reached this limit.
        LightFull: LightFull, "all light-node slots of the host's node are in use",
            no_hint "the pool picks another host";
        /// The pool assigned a node to itself.
        Itself: Refused, "a node cannot be its own client", no_hint "the pool picks another host";
        /// The client does not meet the host's rules.
        ClientUnsuitable {
            /// Why, as the node or the rules say it.
            why: String,
        }: Unsuitable, "the client {why}", hint "Update your node, or use another host.";
        /// The host does not meet the client's rules.
        HostUnsuitable {
            /// Why, as the node or the rules say it.
            why: String,
        }: Unsuitable, "the host {why}", no_hint "the pool picks another host";
        /// The pool assigned another host after the client had found enough of them.
        EnoughHosts: Refused, "the client already has as many hosts as it wants", no_hint "the agent ends the lease";
        /// The price exceeds the client's --max-price.
        TooExpensive: Refused, "the slot costs more than the client's maximum price", no_hint "the agent ends the lease";
        /// The pool assigned a host that the client already uses.
        HeldAlready: Refused, "the client already has a slot on this host", no_hint "the agent ends the lease";
        /// The pool assigned a host that the client recently failed to connect to.
        Avoided: Refused, "this host failed recently", no_hint "the agent ends the lease";
        /// The pool assigned a host without reporting an address for it.
        NoHostAddress: Refused, "the host's enode has no address to dial", no_hint "the agent ends the lease";
        /// The peer's address does not identify one machine that can be reached from other networks.
        NoMachine {
            /// The IP address in the peer's enode.
            at: IpAddr,
        }: Refused, "the address {at} is never dialed, because it is link-local, unspecified, broadcast, or multicast",
            hint "Start that peer's agent with --enode.host and an address that other machines can reach.";
        /// The peer has a private or loopback address, or a host name that may resolve to one, and the pool itself is
        /// not at
        /// such an address.
        PrivateAddress: Refused, "the agent's node dials private addresses only for a pool at a private address, and loopback addresses and host names only for a pool on the same machine",
            hint "To let this pool make the agent's node dial them, run the agent with --dial-private.";
        /// The pool asked the host to dial a client whose address it did not report.
        NoClientAddress: Refused, "the client's enode has no address to dial", no_hint "the client dials the host";
        /// The peer is static or trusted in the node's own settings, or the user passed it with --keep.
        NodesOwn: Refused, "this peer is in the node's own settings or in --keep, so the agent does not touch it",
            no_hint "the node's owner manages this peer";
        /// The node rejected this client. Any client can cause this, so the node itself may work correctly.
        NotAdmitted {
            /// Why not.
            why: Failure,
        }: NotAdmitted, "the node did not admit the client: {why}",
            no_hint "the pool picks another host";
        /// The node failed to admit the client, for a reason that applies to all clients.
        NodeFailed {
            /// The error of the node.
            why: Failure,
        }: Refused, "the node failed to admit the client: {why}",
            no_hint "the pool picks another host";
        /// The node rejected the request to dial the client, or did not respond.
        NotDialed {
            /// Why not.
            why: Failure,
        }: Refused, "the node did not dial: {why}", no_hint "the client dials the host";
        /// One side or the pool ended the lease while the node was still carrying out the pool's call.
        EndedBefore: Refused, "the lease ended before the node completed the call", no_hint "nothing is left to do";
        /// A lease has ended, but the node's call to undo it failed.
        NotUndone {
            /// Why not.
            why: Failure,
        }: Refused, "the node has not undone the lease yet: {why}", no_hint "the agent keeps trying";
        /// A lease has ended while the node is unreachable.
        UndoneLater: Refused, "the lease has ended; the agent will undo it as soon as it can reach the node",
            no_hint "the agent keeps trying";
    }
}

impl Refusal {
    /// The refusal of a host whose node did not admit a client: the node's own verdict on that client, or its failure.
    pub(crate) fn of_node(why: Failure) -> Self {
        if why.code() == Some(ErrorCode::Refused) { Self::NotAdmitted { why } } else { Self::NodeFailed { why } }
    }
}
