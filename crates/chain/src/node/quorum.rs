use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::node_calls::NodeCalls;
use crate::error::ChainError;

/// The nodes of one chain, and how many of them have to give the same answer: the only one, both of two, two of three.
///
/// So two nodes protect from one that lies, and stop where they differ or one is down; three also go on then.
#[derive(Debug, Clone)]
pub(super) struct Quorum {
    nodes: Vec<NodeCalls>,
    /// How long a node is waited for once enough others have answered, where each answer can matter.
    grace: Duration,
}

/// An answer, or an error that is one: that of a contract, or that there is no such block.
type NodeAnswer<T> = Result<T, ChainError>;

impl Quorum {
    /// At least one node: without one, each call fails.
    pub(super) const fn new(nodes: Vec<NodeCalls>, grace: Duration) -> Self {
        Self { nodes, grace }
    }

    pub(super) fn nodes(&self) -> &[NodeCalls] {
        &self.nodes
    }

    /// The answer that enough nodes gave. `read` reads it from what a node sent.
    ///
    /// # Errors
    /// [`ChainError::NodesDiffer`]; that of a node if too few answered.
    pub(super) async fn agreed<Raw: DeserializeOwned + Send, T: PartialEq + Send>(
        &self,
        method: &'static str,
        params: &Value,
        read: impl Fn(&NodeCalls, Raw) -> NodeAnswer<T> + Sync,
    ) -> NodeAnswer<T> {
        let enough = self.enough();
        let calls = self.calls(method, params, &read);
        // A node that is slow or down delays nothing that the others agree on.
        let outcomes = gathered(calls, |outcomes| is_agreed(outcomes, enough).then_some(Duration::ZERO)).await;
        agreed_of(outcomes, enough).unwrap_or_else(|| Err(self.differ(method)))
    }

    /// The highest value that enough nodes reached: the lower of two, and of three the one between the others.
    ///
    /// # Errors
    /// As [`Self::agreed`].
    pub(super) async fn reached<Raw: DeserializeOwned + Send, T: Ord + Send>(
        &self,
        method: &'static str,
        params: &Value,
        read: impl Fn(&NodeCalls, Raw) -> NodeAnswer<T> + Sync,
    ) -> NodeAnswer<T> {
        let outcomes = self.in_time(self.calls(method, params, &read), self.enough()).await;
        reached_of(outcomes, self.enough()).unwrap_or_else(|| Err(self.differ(method)))
    }

    /// How many nodes have to agree.
    pub(super) fn enough(&self) -> usize {
        enough_of(self.nodes.len())
    }

    /// What the nodes answer; once `least` of them have, the others are waited for only a little.
    pub(super) async fn in_time<T: Send>(
        &self,
        calls: Vec<BoxFuture<'_, NodeAnswer<T>>>,
        least: usize,
    ) -> Vec<NodeAnswer<T>> {
        let answered = |answers: &[NodeAnswer<T>]| answers.iter().filter(|answer| is_answer(answer)).count();
        gathered(calls, |answers| (answered(answers) >= least).then_some(self.grace)).await
    }

    /// The same call to each node.
    fn calls<'a, Raw: DeserializeOwned + Send, T: Send>(
        &'a self,
        method: &'static str,
        params: &'a Value,
        read: &'a (impl Fn(&NodeCalls, Raw) -> NodeAnswer<T> + Sync),
    ) -> Vec<BoxFuture<'a, NodeAnswer<T>>> {
        let call = |node: &'a NodeCalls| async move { read(node, node.read::<Raw>(method, params).await?) }.boxed();
        self.nodes.iter().map(call).collect()
    }

    pub(super) fn differ(&self, method: &'static str) -> ChainError {
        let nodes: Vec<&str> = self.nodes.iter().map(NodeCalls::origin).collect();
        ChainError::NodesDiffer { nodes: nodes.join(", "), method }
    }
}

/// The outcomes of calls, in the order in which they come. `rest` decides how long the others are still waited for.
async fn gathered<T>(
    calls: Vec<BoxFuture<'_, NodeAnswer<T>>>,
    rest: impl Fn(&[NodeAnswer<T>]) -> Option<Duration>,
) -> Vec<NodeAnswer<T>> {
    let mut pending: FuturesUnordered<_> = calls.into_iter().collect();
    let (mut outcomes, mut deadline) = (Vec::new(), None);
    loop {
        let next = match deadline {
            None => pending.next().await,
            Some(deadline) => timeout_at(deadline, pending.next()).await.unwrap_or_default(),
        };
        let Some(outcome) = next else { return outcomes };
        outcomes.push(outcome);
        if deadline.is_none() {
            deadline = rest(&outcomes).and_then(|rest| Instant::now().checked_add(rest));
        }
    }
}

/// How many of `nodes` have to agree: more than half.
const fn enough_of(nodes: usize) -> usize {
    (nodes / 2).saturating_add(1)
}

/// Whether a node answered what was asked. Other errors are about the node alone.
const fn is_answer<T>(answer: &NodeAnswer<T>) -> bool {
    matches!(answer, Ok(_) | Err(ChainError::Reverted { .. } | ChainError::NoBlock { .. }))
}

fn is_agreed<T: PartialEq>(outcomes: &[NodeAnswer<T>], enough: usize) -> bool {
    agreed_at(outcomes, enough).is_some()
}

/// Where an outcome is that `enough` nodes have.
fn agreed_at<T: PartialEq>(outcomes: &[NodeAnswer<T>], enough: usize) -> Option<usize> {
    let same = |outcome: &NodeAnswer<T>| outcomes.iter().filter(|other| *other == outcome).count();
    outcomes.iter().position(|outcome| is_answer(outcome) && same(outcome) >= enough)
}

/// The outcome that `enough` nodes have; the first failure if too few answered; `None` if they differ.
fn agreed_of<T: PartialEq>(mut outcomes: Vec<NodeAnswer<T>>, enough: usize) -> Option<NodeAnswer<T>> {
    if let Some(agreed) = agreed_at(&outcomes, enough) {
        return Some(outcomes.swap_remove(agreed));
    }
    too_few(outcomes, enough)
}

/// The value that `enough` nodes reached; an error that as many have; as [`agreed_of`] otherwise.
fn reached_of<T: Ord>(outcomes: Vec<NodeAnswer<T>>, enough: usize) -> Option<NodeAnswer<T>> {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(value) => values.push(value),
            Err(error) => errors.push(Err(error)),
        }
    }
    values.sort_unstable();
    match values.len().checked_sub(enough) {
        Some(index) => Some(Ok(values.swap_remove(index))),
        None => agreed_of(errors, enough),
    }
}

/// The first failure, if fewer than `enough` nodes answered.
fn too_few<T>(outcomes: Vec<NodeAnswer<T>>, enough: usize) -> Option<NodeAnswer<T>> {
    let (answered, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(is_answer);
    (answered.len() < enough).then(|| failed.into_iter().next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(node: &str) -> NodeAnswer<u32> {
        Err(ChainError::Unreachable { node: node.to_owned(), why: String::new() })
    }

    fn no_block() -> NodeAnswer<u32> {
        Err(ChainError::NoBlock { block: "safe".to_owned() })
    }

    #[test]
    fn of_one_two_and_three_nodes_more_than_half_have_to_agree() {
        assert_eq!([1, 2, 3].map(enough_of), [1, 2, 2]);
        let agreed = |outcomes: &[NodeAnswer<u32>]| agreed_of(outcomes.to_vec(), enough_of(outcomes.len()));
        assert_eq!(agreed(&[Ok(1)]), Some(Ok(1)));
        assert_eq!(agreed(&[Ok(1), Ok(1)]), Some(Ok(1)));
        assert_eq!(agreed(&[Ok(1), Ok(2)]), None, "nobody knows which is wrong");
        assert_eq!(agreed(&[Ok(1), down("b")]), Some(down("b")));
        assert_eq!(agreed(&[Ok(1), Ok(2), Ok(1)]), Some(Ok(1)), "one lies");
        assert_eq!(agreed(&[down("a"), Ok(1), Ok(1)]), Some(Ok(1)), "one is down");
        assert_eq!(agreed(&[down("a"), Ok(1), down("c")]), Some(down("a")), "nobody confirms the answer");
        assert_eq!(agreed(&[down("a"), Ok(1), Ok(2)]), None);
        assert_eq!(agreed(&[Ok(1), Ok(2), Ok(3)]), None);
        assert_eq!(agreed(&[no_block(), Ok(1), no_block()]), Some(no_block()), "an answer, too");
        assert_eq!(agreed(&[down("a"), down("a"), Ok(1)]), Some(down("a")), "two that are down say nothing");
    }

    #[test]
    fn a_value_counts_that_enough_nodes_reached() {
        let reached = |outcomes: &[NodeAnswer<u32>]| reached_of(outcomes.to_vec(), enough_of(outcomes.len()));
        assert_eq!(reached(&[Ok(5)]), Some(Ok(5)));
        assert_eq!(reached(&[Ok(9), Ok(5)]), Some(Ok(5)), "the lower of two");
        assert_eq!(reached(&[Ok(9), Ok(5), Ok(7)]), Some(Ok(7)));
        assert_eq!(reached(&[Ok(u32::MAX), Ok(5), Ok(5)]), Some(Ok(5)), "one is ahead of the chain");
        assert_eq!(reached(&[Ok(9), down("b"), Ok(7)]), Some(Ok(7)));
        assert_eq!(reached(&[Ok(9), down("b")]), Some(down("b")));
        assert_eq!(reached(&[no_block(), no_block(), Ok(7)]), Some(no_block()));
        assert_eq!(reached(&[no_block(), Ok(7)]), None);
    }
}
