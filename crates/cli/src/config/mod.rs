//! Settings: the line that the user typed, the environment, and a file, in this order.
//!
//! What a lower one of them says becomes part of the line, as if it had been typed, wherever no higher one says it
//! or what contradicts it. So every rule of a flag (range, conflict, requirement) holds for all three, and a flag
//! has its variable and its key in the file by being there.

mod config_file;
mod flag;
mod original_ini;
mod reader;
mod reload;
mod settings;
mod unknown_variables;
mod value;

pub(crate) use self::{
    flag::{Flag, with_variables},
    reader::{Reader, Unread},
    reload::{Reload, say_kept},
    unknown_variables::unknown_variables,
};

#[cfg(test)]
mod tests;
