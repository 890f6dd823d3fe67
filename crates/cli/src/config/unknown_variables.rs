use std::collections::BTreeSet;

use clap::Command;

use super::flag::Flag;

/// A variable with our prefix that no flag reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownVariable {
    pub(crate) name: String,
    /// The known one that is most like it.
    pub(crate) nearest: String,
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
    let nearest = |name: &str| known.iter().min_by_key(|other| strsim::osa_distance(other, name)).cloned();
    unknown.map(|name| UnknownVariable { nearest: nearest(&name).unwrap_or_default(), name }).collect()
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
        let names = ["VIPNODE_POOL", "VIPNODE_SLOT", "VIPNODE_TEST_GETH", "VIPNODE_TOOLS", "HOME", "VIPNODE_BIND"];
        let mut tree = Cli::command();
        tree.build();
        let unknown = unknown_variables(&tree, names.into_iter().map(ToOwned::to_owned));
        let slot = UnknownVariable { name: "VIPNODE_SLOT".to_owned(), nearest: "VIPNODE_SLOTS".to_owned() };
        assert_eq!(unknown, [slot], "a variable of another command is one of ours");
    }
}
