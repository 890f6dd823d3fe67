use vipnode_types::{Failure, errors};

errors! {
    /// Why an agent refuses a call of its pool, or gives back a host that the pool gave.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Refusal {
        /// The call belongs to another protocol than the one that agent and pool speak.
        OtherProtocol: MethodNotFound, "an agent of this protocol has no such method",
            no_hint "only the pool can tell which protocol it speaks";
        /// The lease of that name is held with another node, or from the other side.
        OtherLease: InvalidParams, "this lease is held with another peer or from the other side",
            no_hint "names of leases are the pool's";
        /// No lease of that name is held.
        NoLease: Refused, "no such lease is held here", no_hint "the pool drops the lease by itself";
        /// As many calls as the limit allows wait for the node.
        TooManyCalls {
            /// How many wait.
            calls: usize,
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "{calls} calls already wait for this node",
            hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// The last lease of that name is being undone.
        BeingUndone {
            /// When to try again, in milliseconds.
            retry_ms: u64,
        }: Busy, "this lease has ended and is being undone",
            hint "Try again in {retry_ms} ms.", retry retry_ms;
        /// The agent only seeks hosts.
        NotHost: Refused, "this agent does not sell slots", no_hint "the pool picks another host";
        /// The agent's node does not answer.
        NodeDown: Refused, "the agent's node is down", no_hint "the agent keeps trying to reach it";
        /// The agent is stopping.
        Stopping: Refused, "this agent is stopping", no_hint "the pool picks another agent";
        /// The host offers nothing for now.
        NotOffering {
            /// Why, as the node or the rules say it.
            why: String,
        }: Refused, "{why}", no_hint "the agent reports its slots as soon as it offers some";
        /// Every slot is taken.
        Full {
            /// Slots that the host sells.
            slots: u32,
        }: Refused, "all {slots} slots are taken", no_hint "the pool picks another host";
        /// The node's slots for light nodes are taken.
        LightFull: Refused, "all slots of the host's node for light nodes are taken",
            no_hint "the pool picks another host";
        /// Host and client are one node.
        Itself: Refused, "a node cannot be its own client", no_hint "the pool picks another host";
        /// The client is not one that the host's user takes.
        ClientUnsuitable {
            /// Why, as the node or the rules say it.
            why: String,
        }: Unsuitable, "the client {why}", hint "Update your node, or take another host.";
        /// The host is not one that the client's user takes.
        HostUnsuitable {
            /// Why, as the node or the rules say it.
            why: String,
        }: Unsuitable, "the host {why}", no_hint "the pool picks another host";
        /// The client has as many hosts as it wants.
        EnoughHosts: Refused, "the client has all the hosts that it wants", no_hint "the lease is left";
        /// The slot costs more than the client pays.
        TooExpensive: Refused, "the slot costs more than the client pays", no_hint "the lease is left";
        /// The client already has a slot on this host.
        HeldAlready: Refused, "the client already has a slot on this host", no_hint "the lease is left";
        /// The host failed a moment ago.
        Avoided: Refused, "this host failed a moment ago", no_hint "the lease is left";
        /// The host's enode has no address.
        NoHostAddress: Refused, "the host's enode has no address to dial", no_hint "the lease is left";
        /// The client's enode has no address.
        NoClientAddress: Refused, "the client's enode has no address to dial", no_hint "the client dials the host";
        /// The node keeps the peer by its own settings.
        NodesOwn: Refused, "the node keeps this peer by its own settings; the agent leaves it alone",
            no_hint "the node dials it by itself";
        /// The node did not let the client in.
        NotAdmitted {
            /// Why not.
            why: Failure,
        }: Refused, "the node did not let the client in: {why}",
            no_hint "the pool picks another host";
        /// The node did not dial the client.
        NotDialed {
            /// Why not.
            why: Failure,
        }: Refused, "the node did not dial: {why}", no_hint "the client dials the host";
        /// The lease ended before the node had done it.
        EndedBefore: Refused, "the lease ended before the node had done it", no_hint "nothing is left to do";
        /// The node did not undo a lease yet.
        NotUndone {
            /// Why not.
            why: Failure,
        }: Refused, "the node has not undone it yet: {why}", no_hint "the agent keeps trying";
        /// A lease is over, and the node cannot be told now.
        UndoneLater: Refused, "it is over and will be undone as soon as the node can be reached",
            no_hint "the agent keeps trying";
    }
}
