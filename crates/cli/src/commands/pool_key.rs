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
    screen.say(&rotated_line(&old, &new));
    Ok(())
}

fn rotated_line(old: &str, new: &str) -> Line {
    let text = format!(
        "The pool's ID is now {new}. Agents that remember {old} accept it when they connect next, because the old key signed \
         the change."
    );
    Line::new("key_rotated", Tone::Good, text).with("id", new).with("old", old)
}

#[cfg(test)]
mod tests {
    use vipnode_types::PoolKey;

    use super::*;

    #[test]
    fn snapshot_of_a_changed_key() {
        let [old, new] = [1, 2].map(|byte| PoolKey::from_random([byte; 32]).unwrap().id().to_string());
        let lines = [rotated_line(&old, &new)];
        insta::assert_snapshot!("key_rotated", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }
}
