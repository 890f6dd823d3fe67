use std::collections::BTreeSet;

use clap::Command;

use super::{flag::Flag, nearest::nearest};

/// A variable with our prefix that no flag reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownVariable {
    pub(crate) name: String,
    /// The known one that was probably meant.
    pub(crate) nearest: Option<String>,
}

/// How our variables begin.
pub(crate) const VARIABLES: &str = "VIPNODE_";
/// Those of the tests and of what installs their tools.
const OF_TESTS: [&str; 2] = ["VIPNODE_TEST_", "VIPNODE_TOOLS"];
/// Further ones are not reported.
const MOST: usize = 16;

/// Variables among these that no flag of any command reads: one that is misspelt sets nothing.
pub(crate) fn unknown_variables(tree: &Command, names: impl Iterator<Item = String>) -> Vec<UnknownVariable> {
    let mut known = BTreeSet::new();
    gather(tree, &mut known);
    let ours = |name: &String| name.starts_with(VARIABLES) && !OF_TESTS.iter().any(|tests| name.starts_with(tests));
    let unknown = names.filter(ours).filter(|name| !known.contains(name)).take(MOST);
    let names = known.iter().filter_map(|name| name.strip_prefix(VARIABLES));
    let nearest = |name: &str| nearest(names.clone(), name.strip_prefix(VARIABLES)?);
    let nearest = |name: &str| nearest(name).map(|nearest| format!("{VARIABLES}{nearest}"));
    unknown.map(|name| UnknownVariable { nearest: nearest(&name), name }).collect()
}

fn gather(command: &Command, known: &mut BTreeSet<String>) {
    known.extend(Flag::of(command).map(Flag::variable));
    command.get_subcommands().for_each(|below| gather(below, known));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn a_misspelt_variable_names_the_nearest_and_those_of_tests_are_let_be() {
        let names = [
            "VIPNODE_POOL",
            "VIPNODE_SLOT",
            "VIPNODE_XYZ",
            "VIPNODE_TEST_GETH",
            "VIPNODE_TOOLS",
            "HOME",
            "VIPNODE_BIND",
        ];
        let mut tree = Cli::command();
        tree.build();
        let unknown = unknown_variables(&tree, names.into_iter().map(ToOwned::to_owned));
        let unknown_as = |name: &str, nearest: Option<&str>| UnknownVariable {
            name: name.to_owned(),
            nearest: nearest.map(Into::into),
        };
        let expected = [unknown_as("VIPNODE_SLOT", Some("VIPNODE_SLOTS")), unknown_as("VIPNODE_XYZ", None)];
        assert_eq!(unknown, expected, "a variable of another command is one of ours");
    }
}
