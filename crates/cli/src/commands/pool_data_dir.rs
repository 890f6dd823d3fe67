use std::path::{Path, PathBuf};

use vipnode_agent::state::StateDir;
use vipnode_pool::admin::{AdminClient, admin_socket, admin_sockets, own_data_dirs, running_data_dirs, running_socket};

use crate::{
    args::{PoolArgs, PoolSocketArgs, StoreName},
    error::{CliError, CommandError},
    output::{Line, Screen, Tone, format::quoted},
};

/// The file in a data directory without which no pool has run there.
const DATABASE: &str = "pool.db";

/// Returns the directory in which a pool keeps its state; `None` if it keeps it in memory.
pub(crate) fn pool_data_dir(args: &PoolArgs) -> Result<Option<PathBuf>, CliError> {
    if args.store == StoreName::Memory && !args.payment.is_none() {
        return Err(CommandError::CreditInMemory.into());
    }
    match (args.store, &args.datadir) {
        (StoreName::Sqlite, Some(dir)) => Ok(Some(dir.clone())),
        (StoreName::Sqlite, None) => default_data_dir().map(Some),
        (StoreName::Memory, None) => Ok(None),
        (StoreName::Memory, Some(dir)) => Err(CommandError::StoreMemory { dir: dir.clone() }.into()),
    }
}

/// Returns the directory of a pool that was started without --datadir: `$XDG_DATA_HOME/vipnode/pool`, else
/// `~/.local/share/vipnode/pool`.
pub(crate) fn default_data_dir() -> Result<PathBuf, CliError> {
    use etcetera::BaseStrategy as _;

    let strategy = etcetera::choose_base_strategy().map_err(|_no_home| CommandError::NoDataHome)?;
    Ok(strategy.data_dir().join("vipnode").join("pool"))
}

/// Returns the pool that the user named, or else the only one that this user runs here.
pub(super) fn client(args: &PoolSocketArgs, screen: Screen) -> Result<AdminClient, CliError> {
    let socket = match (&args.socket, &args.datadir) {
        (Some(socket), _) => socket.clone(),
        (None, Some(datadir)) => admin_socket(datadir),
        (None, None) => only_socket(screen)?,
    };
    Ok(AdminClient::new(socket))
}

/// Returns the socket of the only pool that this user runs here. One without --datadir comes first.
fn only_socket(screen: Screen) -> Result<PathBuf, CliError> {
    let mut sockets = default_sockets()?;
    match (sockets.pop(), sockets.pop()) {
        (Some(socket), None) => return Ok(socket),
        (None, _) => {}
        (Some(one), Some(other)) => return Err(CommandError::ManyAdminSockets { one, other }.into()),
    }
    match only(&own_data_dirs())? {
        Some(dir) => {
            screen.note(&found_text(dir));
            Ok(admin_socket(dir))
        }
        None => Err(no_socket(&running_data_dirs()).into()),
    }
}

/// The sockets of the pools that this user runs without --datadir.
fn default_sockets() -> Result<Vec<PathBuf>, CliError> {
    let state = StateDir::root(None)?;
    let failed = |error| CommandError::AdminSockets { path: state.clone(), error };
    let mut sockets = admin_sockets(&state).map_err(failed)?;
    sockets.extend(default_data_dir().ok().and_then(|dir| running_socket(&dir)));
    Ok(sockets)
}

/// The only one of these data directories; `None` if there is none.
fn only(dirs: &[PathBuf]) -> Result<Option<&Path>, CommandError> {
    match dirs {
        [] => Ok(None),
        [dir] => Ok(Some(dir)),
        [first, ..] => Err(CommandError::ManyPools { dirs: list(dirs), first: path(first) }),
    }
}

fn no_socket(running: &[PathBuf]) -> CommandError {
    match running {
        [] => CommandError::NoAdminSocket,
        [first, ..] => {
            CommandError::OtherAdminSockets { dirs: list(running), first: path(first), pools: running.len() }
        }
    }
}

fn list(dirs: &[PathBuf]) -> String {
    dirs.iter().map(|dir| path(dir)).collect::<Vec<_>>().join(", ")
}

fn path(dir: &Path) -> String {
    quoted(&dir.display().to_string()).into_owned()
}

fn found_text(dir: &Path) -> String {
    format!("Using the pool that runs here with the data directory {}", dir.display())
}

/// Returns the data directory that the user gave, the default one if a pool has run there, or else that of the only pool that
/// this user runs here.
pub(super) fn chosen_dir(given: Option<PathBuf>, screen: Screen) -> Result<PathBuf, CliError> {
    if given.is_some() || default_data_dir()?.join(DATABASE).exists() {
        return default_dir(given, screen);
    }
    match only(&own_data_dirs())? {
        Some(dir) => {
            let line = Line::new("pool_found", Tone::Plain, found_text(dir));
            screen.say(&line.with("datadir", dir.display().to_string()));
            Ok(dir.to_owned())
        }
        None => default_dir(None, screen),
    }
}

/// Returns the data directory that the user gave, or else the default one. Warns if other pools run on this machine: the
/// user may have meant one of them.
pub(super) fn default_dir(given: Option<PathBuf>, screen: Screen) -> Result<PathBuf, CliError> {
    if let Some(dir) = given {
        return Ok(dir);
    }
    let dir = default_data_dir()?;
    let others: Vec<PathBuf> = running_data_dirs().into_iter().filter(|other| *other != dir).collect();
    if !others.is_empty() {
        screen.say(&default_dir_line(&dir, &others));
    }
    Ok(dir)
}

fn default_dir_line(dir: &Path, others: &[PathBuf]) -> Line {
    let text = format!("No --datadir was given; using the default, {}", dir.display());
    let flags: Vec<String> = others.iter().map(|other| format!("--datadir {}", path(other))).collect();
    let hint =
        format!("To use another pool that runs on this machine, run the command again with {}", flags.join(" or "));
    let running: Vec<String> = others.iter().map(|other| other.display().to_string()).collect();
    let line = Line::new("default_datadir", Tone::Warning, text).with("datadir", dir.display().to_string());
    line.with("running", running).hint(&hint)
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn snapshot_of_the_default_data_directory() {
        let others = ["/srv/mainnet pool", "/var/lib/vipnode/pool"].map(PathBuf::from);
        let line = default_dir_line(Path::new("/home/ana/.local/share/vipnode/pool"), &others);
        insta::assert_snapshot!("default_datadir", crate::tests::at_each_width(&crate::tests::text_of(&[line])));
    }

    #[test]
    fn the_only_pool_of_this_user_is_used_and_several_are_named() {
        let dirs = ["/srv/main net", "/srv/test"].map(PathBuf::from);
        assert!(only(&[]).unwrap().is_none());
        assert_eq!(only(&dirs[..1]).unwrap(), Some(&*dirs[0]));
        let several = only(&dirs).unwrap_err();
        assert!(several.to_string().ends_with("these data directories: '/srv/main net', /srv/test"), "{several}");
        assert!(several.hint().unwrap().contains("--datadir '/srv/main net'"));
    }

    #[test]
    fn one_pool_of_another_user_is_not_called_several() {
        let dirs = ["/srv/main", "/srv/test"].map(PathBuf::from);
        let one = no_socket(&dirs[..1]).to_string();
        assert!(one.ends_with("another user is running one with the data directory /srv/main"), "{one}");
        let two = no_socket(&dirs).to_string();
        assert!(
            two.ends_with("other users are running pools with these data directories: /srv/main, /srv/test"),
            "{two}"
        );
    }
}
