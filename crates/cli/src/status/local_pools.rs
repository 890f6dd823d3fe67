use std::{path::PathBuf, time::Duration};

use tokio::time::timeout;
use vipnode_pool::admin::{AdminClient, admin_socket, own_data_dirs};

use crate::output::{
    Styled, Tone,
    format::{counted, quoted},
};

/// The pools that this user runs on this machine.
#[derive(Debug, Default)]
pub(super) struct LocalPools {
    /// For each pool that answered, the command that shows its status.
    pub(super) commands: Vec<String>,
}

/// A pool on this machine answers within this time.
const ANSWER: Duration = Duration::from_secs(2);
/// Pools that are asked.
const POOLS: usize = 4;

impl LocalPools {
    /// Asks the pools of this user, one after another.
    pub(super) async fn ask() -> Self {
        let mut commands = Vec::new();
        for datadir in own_data_dirs().into_iter().take(POOLS) {
            let client = AdminClient::new(admin_socket(&datadir));
            let Ok(Ok(answer)) = timeout(ANSWER, client.urls()).await else { continue };
            let ca = Some(datadir.join("tls").join("ca.pem")).filter(|ca| ca.exists());
            commands.extend(answer.urls.first().map(|url| status_command(url, ca)));
        }
        Self { commands }
    }

    /// What is said of them; empty without any.
    pub(super) fn page(&self) -> Styled {
        let mut page = Styled::default();
        if self.commands.is_empty() {
            return page;
        }
        page.mark(Tone::Plain);
        let pools = u64::try_from(self.commands.len()).unwrap_or(u64::MAX);
        let runs = if pools == 1 { "runs" } else { "run" };
        page.push(&format!("{} of this user {runs} on this machine", counted(pools, "pool")));
        let commands: Vec<String> = self.commands.iter().map(|command| format!("`{command}`")).collect();
        page.hint(&format!("Show the status of the pool: {}", commands.join(" or ")), "  ");
        page
    }
}

/// The command that shows the status of a pool, with the flags that it needs.
fn status_command(url: &str, ca: Option<PathBuf>) -> String {
    let mut command = format!("vipnode status --pool {}", quoted(url));
    let is_tls = url.starts_with("wss://") || url.starts_with("https://");
    let is_local = url.parse::<vipnode_types::RpcUrl>().is_ok_and(|url| url.is_local());
    match ca.filter(|_| is_tls) {
        Some(ca) => command += &format!(" --tls-ca {}", quoted(&ca.display().to_string())),
        None if !is_tls && !is_local => command += " --insecure",
        None => {}
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_shows_a_pool_is_complete() {
        let ca = || Some(PathBuf::from("/my pool/tls/ca.pem"));
        assert_eq!(
            status_command("wss://10.0.0.1:8443", ca()),
            "vipnode status --pool wss://10.0.0.1:8443 --tls-ca '/my pool/tls/ca.pem'"
        );
        assert_eq!(status_command("wss://p.example", None), "vipnode status --pool wss://p.example");
        assert_eq!(status_command("ws://127.0.0.1:8080", ca()), "vipnode status --pool ws://127.0.0.1:8080");
        assert_eq!(status_command("ws://10.0.0.1:8080", None), "vipnode status --pool ws://10.0.0.1:8080 --insecure");
    }

    #[test]
    fn a_machine_without_agents_points_to_its_pool() {
        assert_eq!(LocalPools::default().page(), Styled::default());
        let commands = vec![status_command("ws://127.0.0.1:8080", None)];
        let page = crate::tests::plain(&LocalPools { commands }.page().to_string());
        assert!(page.starts_with("· 1 pool of this user runs on this machine\n  -> Show the status"), "{page}");
        assert!(page.ends_with("`vipnode status --pool ws://127.0.0.1:8080`"), "{page}");
    }
}
