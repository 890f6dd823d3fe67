use std::{any::TypeId, ffi::OsString, path::PathBuf};

use clap::{
    Arg, Command,
    builder::{OsStringValueParser, TypedValueParser as _},
};

use crate::error::CommandError;

/// Lets each path begin with `~/`, the user's home directory. A shell does not replace it in `--flag=~/path`, and none reads
/// settings files and units.
pub(super) fn with_home_paths(command: Command) -> Command {
    let is_path = |arg: &Arg| arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    command
        .mut_args(
            |arg| if is_path(&arg) { arg.value_parser(OsStringValueParser::new().try_map(home_path)) } else { arg },
        )
        .mut_subcommands(with_home_paths)
}

/// Reads a path that a person wrote.
///
/// # Errors
/// [`CommandError::NoHome`]: it begins with `~`, and the home directory is not known.
pub(super) fn home_path(text: OsString) -> Result<PathBuf, CommandError> {
    path_below(text.into(), std::env::var_os("HOME").filter(|home| !home.is_empty()))
}

fn path_below(path: PathBuf, home: Option<OsString>) -> Result<PathBuf, CommandError> {
    match (path.strip_prefix("~"), home) {
        (Ok(below), Some(home)) => Ok(PathBuf::from(home).join(below)),
        (Ok(_), None) => Err(CommandError::NoHome { path }),
        (Err(_), _) => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_part_of_a_path_is_the_home_directory() {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        for (text, path) in [("~/a/b", home.join("a/b")), ("./~/a", "./~/a".into()), ("~ana/a", "~ana/a".into())] {
            assert_eq!(home_path(text.into()).unwrap(), path);
        }
        assert!(matches!(path_below("~/a".into(), None), Err(CommandError::NoHome { .. })));
        assert_eq!(path_below("/a/~".into(), None).unwrap(), PathBuf::from("/a/~"));
    }
}
