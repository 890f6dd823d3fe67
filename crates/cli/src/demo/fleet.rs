use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::future::try_join_all;
use vipnode_node::{
    Endpoint, Node, NodeAccess,
    sim::{SimNet, SimServer, SimSpec, sim_key},
};
use vipnode_types::NodeId;

use super::{geth::DemoGeth, roles::DemoRole};
use crate::error::{CliError, CommandError};

/// The nodes of the agents: real or simulated.
pub(super) struct Fleet {
    kind: FleetKind,
    nodes: BTreeMap<DemoRole, FleetMember>,
}

/// One node, and what its agent needs to know about it.
pub(super) struct FleetMember {
    pub(super) id: NodeId,
    pub(super) rpc: String,
    pub(super) key_file: PathBuf,
    node: Arc<dyn Node>,
}

enum FleetKind {
    Simulated { net: SimNet, _server: SimServer },
    Geth(BTreeMap<DemoRole, DemoGeth>),
}

/// The port that the first simulated node reports. Nothing listens there.
const SIM_PORT: u16 = 30_303;

impl Fleet {
    /// Starts a node for each; simulated ones without a geth.
    pub(super) async fn start(roles: &[DemoRole], dir: &Path, geth: Option<&Path>) -> Result<Self, CliError> {
        match geth {
            Some(program) => Self::start_geths(roles, dir, program).await,
            None => Self::simulate(roles, dir).await,
        }
    }

    async fn simulate(roles: &[DemoRole], dir: &Path) -> Result<Self, CliError> {
        let failed = |error| CommandError::DemoNodes { error };
        let net = SimNet::new();
        let server = SimServer::start(net.clone()).await.map_err(failed)?;
        let mut nodes = BTreeMap::new();
        for (port, who) in (SIM_PORT..).zip(roles) {
            let name = who.slug();
            let spec = SimSpec::new(&name, port);
            let id = spec.id;
            let key_file = dir.join(format!("{name}.key"));
            std::fs::write(&key_file, sim_key(&name).as_slice()).map_err(failed)?;
            let rpc = server.endpoint(&name).to_string();
            nodes.insert(*who, FleetMember { id, rpc, key_file, node: net.add(spec) });
        }
        Ok(Self { kind: FleetKind::Simulated { net, _server: server }, nodes })
    }

    async fn start_geths(roles: &[DemoRole], dir: &Path, program: &Path) -> Result<Self, CliError> {
        let start = async |who: DemoRole| {
            let geth = DemoGeth::start(program, &dir.join(who.slug())).await?;
            let endpoint = Endpoint::Ipc(geth.ipc());
            let node = endpoint.open(&NodeAccess::default()).await?;
            let id = node.facts().await?.id;
            Ok::<_, CliError>((
                who,
                FleetMember { id, rpc: endpoint.to_string(), key_file: geth.key_file(), node },
                geth,
            ))
        };
        let started = try_join_all(roles.iter().map(|who| start(*who))).await?;
        let (mut nodes, mut geths) = (BTreeMap::new(), BTreeMap::new());
        for (who, member, geth) in started {
            nodes.insert(who, member);
            geths.insert(who, geth);
        }
        Ok(Self { kind: FleetKind::Geth(geths), nodes })
    }

    /// In one word, for the summary.
    pub(super) const fn word(&self) -> &'static str {
        match self.kind {
            FleetKind::Simulated { .. } => "simulated",
            FleetKind::Geth(_) => "geth",
        }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (DemoRole, &FleetMember)> {
        self.nodes.iter().map(|(who, member)| (*who, member))
    }

    pub(super) fn member(&self, who: DemoRole) -> Option<&FleetMember> {
        self.nodes.get(&who)
    }

    /// kill -9 of a node.
    pub(super) async fn kill(&mut self, who: DemoRole) {
        let Some(member) = self.nodes.remove(&who) else { return };
        match &mut self.kind {
            FleetKind::Simulated { net, .. } => net.stop(member.id),
            FleetKind::Geth(geths) => {
                if let Some(geth) = geths.remove(&who) {
                    geth.kill().await;
                }
            }
        }
    }

    /// How many connections there are between the nodes that run.
    pub(super) async fn connections(&self) -> Result<usize, CliError> {
        let mut ends = 0_usize;
        for member in self.nodes.values() {
            ends = ends.saturating_add(member.node.peers().await?.len());
        }
        Ok(ends.div_ceil(2))
    }

    /// Stops them all.
    pub(super) async fn stop(self) {
        if let FleetKind::Geth(geths) = self.kind {
            futures_util::future::join_all(geths.into_values().map(DemoGeth::stop)).await;
        }
    }
}
