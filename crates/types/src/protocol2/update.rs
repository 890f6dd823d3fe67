use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::NodeId;

/// Peers of one update that are looked at; a node has fewer, and the rest is ignored.
pub const MAX_PEERS: usize = 1_024;

/// What the pool keeps of an update: who is connected, and how far the node is. Addresses, names and
/// protocols of peers are skipped unread (fault D46, docs/faults.md).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Update {
    /// The peers that have a node id, at most [`MAX_PEERS`].
    pub peers: Vec<NodeId>,
    /// The newest block that the node reports.
    pub block_number: u64,
}

impl Update {
    /// Reads the argument of an update.
    ///
    /// # Errors
    /// Fails if it is not an object of that form; the message shows where.
    pub fn read(argument: &RawValue) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Form {
            #[serde(default)]
            peers: Ids,
            #[serde(default)]
            peers_info: Ids,
            #[serde(default)]
            block_number: u64,
        }
        let Form { peers, peers_info, block_number } = serde_json::from_str(argument.get())?;
        // Agents before peers_info sent `peers`; where both are, the newer one counts.
        let peers = if peers_info.0.is_empty() { peers.0 } else { peers_info.0 };
        Ok(Self { peers, block_number })
    }
}

/// Node ids out of a list of peers, or of bare ids; null stands for an empty list.
#[derive(Default)]
struct Ids(Vec<NodeId>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Ids;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of peers")
            }

            fn visit_unit<E>(self) -> Result<Ids, E> {
                Ok(Ids::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ids, A::Error> {
                let mut ids = Vec::new();
                while ids.len() < MAX_PEERS {
                    match list.next_element::<Peer<'de>>()? {
                        Some(peer) => ids.extend(peer.id()),
                        None => return Ok(Ids(ids)),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Ids(ids))
            }
        }
        deserializer.deserialize_any(List)
    }
}

/// One peer of a list.
struct Peer<'a> {
    id: Cow<'a, str>,
    enode: Cow<'a, str>,
}

impl Peer<'_> {
    /// The public key in the enode if there is one, else the id, which newer clients fill with a
    /// hash. A peer without either is none that the pool gave.
    fn id(&self) -> Option<NodeId> {
        let key = self.enode.strip_prefix("enode://").and_then(|rest| rest.get(..128));
        key.unwrap_or(&self.id).parse().ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Peer<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Form<'a> {
            #[serde(default, borrow)]
            id: Cow<'a, str>,
            #[serde(default, borrow)]
            enode: Cow<'a, str>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Peer<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a peer, or its id")
            }

            fn visit_borrowed_str<E>(self, id: &'de str) -> Result<Peer<'de>, E> {
                Ok(Peer { id: Cow::Borrowed(id), enode: Cow::Borrowed("") })
            }

            fn visit_str<E>(self, id: &str) -> Result<Peer<'de>, E> {
                Ok(Peer { id: Cow::Owned(id.to_owned()), enode: Cow::Borrowed("") })
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Peer<'de>, A::Error> {
                let Form { id, enode } = Form::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Peer { id, enode })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// An update that this version's agent sends to an original pool. The fields are in the order of the original's Go
/// struct.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateRequest {
    /// The connected peers that the pool assigned to the node or asked the node to admit. An original vipnode agent
    /// reports all its peers; this version's agent does not. `null` if there are none.
    pub peers_info: Option<Vec<PeerInfo>>,
    /// The newest block.
    pub block_number: u64,
}

/// A peer, as the original copied it from `admin_peers`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PeerInfo {
    /// 128 hex characters.
    pub id: String,
    /// The peer's execution client; left empty.
    pub name: String,
    /// Left out.
    pub caps: Option<Vec<String>>,
    /// Left out.
    pub protocols: Option<serde_json::Map<String, serde_json::Value>>,
    /// Left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub enode: String,
    /// Left empty, because the pool must not learn the addresses of peers.
    pub network: PeerNetwork,
}

/// The two ends of a peer's connection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PeerNetwork {
    /// Left empty.
    #[serde(rename = "localAddress")]
    pub local_address: String,
    /// Left empty.
    #[serde(rename = "remoteAddress")]
    pub remote_address: String,
}

impl UpdateRequest {
    /// The update for these peers.
    #[must_use]
    pub fn of(peers: impl IntoIterator<Item = NodeId>, block_number: u64) -> Self {
        let info = |id: NodeId| PeerInfo { id: id.to_string(), ..PeerInfo::default() };
        let peers: Vec<PeerInfo> = peers.into_iter().map(info).collect();
        Self { peers_info: (!peers.is_empty()).then_some(peers), block_number }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol2::go_json;

    fn read(text: &str) -> Result<Update, serde_json::Error> {
        Update::read(&serde_json::from_str::<Box<RawValue>>(text).unwrap())
    }

    fn ids(count: u8) -> Vec<NodeId> {
        (0..count).map(|n| NodeId::new([n; 64])).collect()
    }

    #[test]
    fn the_key_in_the_enode_comes_before_the_id() {
        let (key, other) = ("ab".repeat(64), "cd".repeat(64));
        let update = read(&format!(
            r#"{{"peers_info":[{{"id":"{}","enode":"enode://{key}@1.2.3.4:5","caps":["eth/66"],"network":{{}}}},{{"id":"{other}"}},{{"id":"x","name":"y"}}],"block_number":9}}"#,
            "ef".repeat(32)
        ));
        let update = update.unwrap();
        assert_eq!(update.peers, [key.parse().unwrap(), other.parse().unwrap()]);
        assert_eq!(update.block_number, 9);
    }

    #[test]
    fn the_old_form_and_empty_ones_are_read() {
        let id = "ab".repeat(64);
        assert_eq!(read(&format!(r#"{{"peers":["{id}"],"peers_info":null}}"#)).unwrap().peers.len(), 1);
        assert_eq!(read("{}").unwrap(), Update::default());
        assert!(read(r#"{"block_number":-1}"#).is_err());
        assert!(read(r#"{"peers_info":5}"#).is_err());
    }

    #[test]
    fn peers_beyond_the_limit_are_ignored() {
        let one = format!(r#"{{"id":"{}"}}"#, "ab".repeat(64));
        let text = format!(r#"{{"peers_info":[{}]}}"#, vec![one; MAX_PEERS + 9].join(","));
        assert_eq!(read(&text).unwrap().peers.len(), MAX_PEERS);
    }

    #[test]
    fn d46_an_update_of_ours_has_no_address() {
        let text = go_json(&UpdateRequest::of(ids(1), 7)).unwrap();
        let id = "00".repeat(64);
        assert_eq!(
            text,
            format!(
                r#"{{"peers_info":[{{"id":"{id}","name":"","caps":null,"protocols":null,"network":{{"localAddress":"","remoteAddress":""}}}}],"block_number":7}}"#
            )
        );
        assert_eq!(go_json(&UpdateRequest::of([], 0)).unwrap(), r#"{"peers_info":null,"block_number":0}"#);
    }

    proptest! {
        #[test]
        fn the_pool_reads_what_the_agent_writes(count in 0u8..50, block_number: u64) {
            let text = go_json(&UpdateRequest::of(ids(count), block_number)).unwrap();
            prop_assert_eq!(read(&text).unwrap(), Update { peers: ids(count), block_number });
        }

        #[test]
        fn never_panics(text in ".{0,200}") {
            if let Ok(raw) = serde_json::from_str::<Box<RawValue>>(&text) {
                let _either = Update::read(&raw);
            }
        }
    }
}
