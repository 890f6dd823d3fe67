use crate::{
    args::{Cli, Command, NodeArgs},
    error::CliError,
    output::format::quoted,
};

/// The command that undoes the changes of an agent, as hints name it.
const RELEASE: &str = "`vipnode release`";

/// `vipnode release` with the flags that lead to the node and the state of an agent: without them, it would look at another
/// node, or for the changes in another directory.
#[derive(Debug, Default)]
pub(super) struct ReleaseCommand {
    /// Quoted for a shell, each with a space before it.
    flags: String,
}

impl ReleaseCommand {
    /// Returns the command for the agent that this line starts.
    pub(super) fn of(cli: &Cli) -> Self {
        match &cli.command {
            None => Self::for_node(&cli.agent.connection.node),
            Some(Command::Agent(args)) => Self::for_node(&args.connection.node),
            Some(Command::Host(args)) => Self::for_node(&args.connection.node),
            Some(Command::Client(args)) => Self::for_node(&args.connection.node),
            Some(_) => Self::default(),
        }
    }

    fn for_node(node: &NodeArgs) -> Self {
        let path = |path: &std::path::PathBuf| path.display().to_string();
        let values = [
            ("rpc", node.rpc.clone()),
            ("state-dir", node.state_dir.as_ref().map(path)),
            ("tls-ca", node.trust.tls_ca.as_ref().map(path)),
        ];
        let values = values.into_iter().filter_map(|(flag, value)| Some((flag, value?)));
        let mut flags: String = values.map(|(flag, value)| format!(" --{flag} {}", quoted(&value))).collect();
        if node.trust.insecure {
            flags += " --insecure";
        }
        Self { flags }
    }

    /// Completes the command in the hint of an error.
    pub(super) fn in_hint(&self, error: CliError) -> CliError {
        let hint = error.hint.replace(RELEASE, &format!("`vipnode release{}`", self.flags));
        CliError { hint, ..error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CommandError;

    #[test]
    fn a_hint_names_the_node_and_the_state_of_the_agent() {
        let hint = |line: &[&str]| {
            let cli = Cli::read([&["vipnode"], line].concat()).unwrap();
            ReleaseCommand::of(&cli).in_hint(CommandError::StoppedAtOnce.into()).hint
        };
        assert_eq!(hint(&["host"]), "Undo them: `vipnode release`.");
        let line = ["client", "--rpc", "/my node/geth.ipc", "--state-dir", "/srv/v", "--insecure"];
        let whole = "`vipnode release --rpc '/my node/geth.ipc' --state-dir /srv/v --insecure`";
        assert_eq!(hint(&line), format!("Undo them: {whole}."));
        assert_eq!(hint(&["--rpc", "http://127.0.0.1:1"]), "Undo them: `vipnode release --rpc http://127.0.0.1:1`.");
    }
}
