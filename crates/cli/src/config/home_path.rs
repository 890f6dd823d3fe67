use std::{any::TypeId, ffi::OsString, path::PathBuf};

use clap::{
    Arg, Command,
    builder::{OsStringValueParser, TypedValueParser as _},
};

/// Lets each path begin with `~/`, the user's home directory. A shell does not replace it in `--flag=~/path`, and none reads
/// settings files and units.
pub(super) fn with_home_paths(command: Command) -> Command {
    let is_path = |arg: &Arg| arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    command
        .mut_args(|arg| if is_path(&arg) { arg.value_parser(OsStringValueParser::new().map(home_path)) } else { arg })
        .mut_subcommands(with_home_paths)
}

/// Reads a path that a person wrote. Without a home directory, `~` stays.
pub(super) fn home_path(text: OsString) -> PathBuf {
    let path = PathBuf::from(text);
    let home = || std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    match path.strip_prefix("~") {
        Ok(below) => home().map_or_else(|| path.clone(), |home| home.join(below)),
        Err(_) => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_part_of_a_path_is_the_home_directory() {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        for (text, path) in [("~/a/b", home.join("a/b")), ("./~/a", "./~/a".into()), ("~ana/a", "~ana/a".into())] {
            assert_eq!(home_path(text.into()), path);
        }
    }
}
