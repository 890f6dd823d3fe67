//! Settings: the command line, the environment, and a file, in this order of precedence.
//!
//! A value from a lower source becomes part of the command line, as if it had been typed, unless a higher source sets it
//! or contradicts it. So every rule of a flag (range, conflict, requirement) applies to all three, and each flag has a
//! variable and a key without further code.
//!
//! May use `args`, `error`, and `output`; does not start anything.

mod config_file;
mod flag;
mod home_path;
mod line_error;
mod meant_command;
mod nearest;
mod original_ini;
mod reader;
mod reload;
mod settings;
mod unknown_variables;
mod value;

pub(crate) use self::{
    flag::{Flag, with_variables},
    reader::{Reader, Unread},
    reload::{Applied, Reload, say_kept},
    unknown_variables::{VARIABLES, unknown_variables},
};

#[cfg(test)]
mod tests;
