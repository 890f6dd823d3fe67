use vipnode_pool::DataDir;

use crate::{
    args::{KeyCommand, RotateArgs},
    error::CliError,
    output::{Line, Screen, Tone},
};

/// Changes the key of a pool that does not run.
pub(crate) fn run(command: KeyCommand, screen: Screen) -> Result<(), CliError> {
    let KeyCommand::Rotate(RotateArgs { datadir }) = command;
    let mut datadir = DataDir::open_existing(&datadir)?;
    let old = datadir.id().to_string();
    datadir.rotate_key()?;
    let new = datadir.id().to_string();
    let text = format!(
        "The pool's ID is now {new}. Agents that remember {old} accept it when they connect next, because the old key signed \
         the change."
    );
    screen.say(&Line::new("key_rotated", Tone::Good, text).with("id", new).with("old", old));
    Ok(())
}
