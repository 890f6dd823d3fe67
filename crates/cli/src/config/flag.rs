use std::{any::TypeId, path::PathBuf};

use clap::{Arg, ArgAction, Command};

use crate::args::{ASKED_POOL, CALLED_POOL, TYPED_POOL};

/// A flag, or an argument without a name, as a key of a file and as a variable of the environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag<'a> {
    arg: &'a Arg,
}

/// A tree whose flags show their variables. Only for what is written about it: their values are taken in by
/// [`super::Reader`].
pub(crate) fn with_variables(command: Command) -> Command {
    command
        .mut_args(|arg| match (Flag { arg: &arg }) {
            flag if flag.is_line_only() => arg,
            flag => {
                let variable = flag.variable();
                arg.env(variable)
            }
        })
        .mut_subcommands(with_variables)
}

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagArity {
    /// Nothing: it is there or not.
    Nothing,
    /// Nothing, and it counts.
    Count,
    /// One value.
    One,
    /// Values, as often as it is given.
    Many,
}

impl<'a> Flag<'a> {
    /// Those of a command, but for help and version.
    pub(crate) fn of(command: &'a Command) -> impl Iterator<Item = Self> {
        command.get_arguments().map(|arg| Self { arg }).filter(|flag| {
            use ArgAction::{Help, HelpLong, HelpShort, Version};
            !matches!(flag.arg.get_action(), Help | HelpLong | HelpShort | Version)
        })
    }

    /// Its name among clap's matches.
    pub(crate) fn id(self) -> &'a str {
        self.arg.get_id().as_str()
    }

    pub(crate) const fn arg(self) -> &'a Arg {
        self.arg
    }

    /// Its name in a file.
    pub(crate) fn key(self) -> String {
        // Where it names a pool, the same key and variable do for all commands.
        if self.id() == CALLED_POOL {
            return TYPED_POOL.to_owned();
        }
        self.arg.get_long().map_or_else(|| self.id().replace('_', "-"), ToOwned::to_owned)
    }

    /// The flags of a command that set the same as this one: itself, and an argument without a name.
    pub(crate) fn of_same_key(self, command: &'a Command) -> impl Iterator<Item = Self> {
        Self::of(command).filter(move |other| other.key() == self.key())
    }

    /// Whether a file may name it so.
    pub(crate) fn is_called(self, key: &str) -> bool {
        self.key() == key || self.arg.get_all_aliases().is_some_and(|names| names.contains(&key))
    }

    /// Whether it makes sense in a file.
    pub(crate) fn is_in_files(self) -> bool {
        !matches!(self.id(), "config" | "print_config") && !self.is_line_only()
    }

    /// Whether it may only be typed: because it makes the command do something else, as `vipnode status` shows local
    /// agents even if VIPNODE_POOL names the pool of these agents, or because a flag of the same key takes what variables
    /// and files set.
    pub(crate) fn is_line_only(self) -> bool {
        [ASKED_POOL, TYPED_POOL, CALLED_POOL].contains(&self.id())
    }

    /// Its name in the environment.
    pub(crate) fn variable(self) -> String {
        format!("VIPNODE_{}", self.key().to_uppercase().replace(['-', '.'], "_"))
    }

    /// Its value must not be shown.
    pub(crate) fn is_secret(self) -> bool {
        self.arg.is_hide_env_values_set()
    }

    pub(crate) fn takes(self) -> FlagArity {
        match self.arg.get_action() {
            ArgAction::SetTrue | ArgAction::SetFalse => FlagArity::Nothing,
            ArgAction::Count => FlagArity::Count,
            ArgAction::Append => FlagArity::Many,
            _ if self.arg.get_num_args().is_some_and(|range| range.max_values() > 1) => FlagArity::Many,
            _ => FlagArity::One,
        }
    }

    /// Whether its value is an integer, which a file writes without quotes.
    pub(crate) fn is_integer(self) -> bool {
        let of = self.arg.get_value_parser().type_id();
        [TypeId::of::<u8>(), TypeId::of::<u16>(), TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<usize>()]
            .into_iter()
            .any(|integer| of == integer)
    }

    /// Whether its value is the path of a file or a directory.
    pub(crate) fn is_path(self) -> bool {
        self.arg.get_value_parser().type_id() == TypeId::of::<PathBuf>()
    }

    /// Whether both cannot be given.
    pub(crate) fn conflicts(self, other: Self, command: &Command) -> bool {
        let conflicts_with = |one: &Arg, other: &Arg| {
            command.get_arg_conflicts_with(one).iter().any(|conflict| conflict.get_id() == other.get_id())
        };
        let one_of = command.get_groups().any(|group| {
            let has = |flag: Self| group.get_args().any(|id| id == flag.arg.get_id());
            !group.clone().is_multiple() && has(self) && has(other)
        });
        self.id() != other.id()
            && (one_of || conflicts_with(self.arg, other.arg) || conflicts_with(other.arg, self.arg))
    }
}
