use clap::Command;

use super::nearest::nearest;

/// Commands that are named at most.
const NAMED: usize = 3;

/// Letters of a word from which on commands of a similar name elsewhere are named.
const LONG: usize = 6;
const HELP: &str = "help";

/// A command that the user may have meant, and the words that lead to it.
#[derive(Debug, Clone)]
struct MeantCommand<'a> {
    words: Vec<&'a str>,
    command: &'a Command,
}

/// Asks whether the user meant another command than the word that was typed below `words`: one of that name elsewhere
/// (`vipnode verify` for `vipnode pool verify`), or else one of a similar name, here or elsewhere. Empty if none is near.
pub(super) fn meant_instead(tree: &Command, words: &[&str], word: &str) -> String {
    let word = &*word.to_lowercase();
    let all = all_commands(tree);
    let called = |name: &str| all.iter().filter(|meant| meant.words.last() == Some(&name)).cloned().collect::<Vec<_>>();
    let same = called(word);
    if !same.is_empty() {
        return question(&same);
    }
    let here = |meant: &&MeantCommand<'_>| meant.words.split_last().is_some_and(|(_, above)| above == words);
    let name = |meant: &MeantCommand<'_>| meant.words.last().copied().unwrap_or_default().to_owned();
    let here: Vec<MeantCommand<'_>> = all.iter().filter(here).cloned().collect();
    let mut names: Vec<String> = here.iter().map(name).collect();
    if words.is_empty() {
        names.push(HELP.to_owned());
    }
    if let Some(near) = nearest(names.iter().map(String::as_str), word) {
        if near == HELP {
            return format!("; did you mean '{HELP}'?");
        }
        return question(&here.iter().filter(|meant| name(meant) == near).cloned().collect::<Vec<_>>());
    }
    // A short word is like too many of them.
    let is_long = word.chars().count() >= LONG;
    let elsewhere = |name: &String| name.starts_with(word) || is_long && name.chars().next() == word.chars().next();
    let names: Vec<String> = all.iter().map(name).filter(elsewhere).collect();
    nearest(names.iter().map(String::as_str), word).map(|near| question(&called(near))).unwrap_or_default()
}

/// Asks whether the user meant a command of the same name elsewhere that takes what this one refuses: a flag, or a value
/// without one (`vipnode link --keystore FILE` for `vipnode account link`).
pub(super) fn command_that_takes(tree: &Command, words: &[String], refused: &str) -> String {
    let Some(name) = words.last() else { return String::new() };
    let takes = |command: &Command| match refused.strip_prefix("--") {
        Some(flag) => {
            let flag = flag.split('=').next().unwrap_or_default();
            command.get_arguments().any(|arg| arg.get_long() == Some(flag))
        }
        None => !refused.starts_with('-') && command.get_positionals().next().is_some(),
    };
    let fits = |meant: &MeantCommand<'_>| {
        meant.words.last() == Some(&name.as_str()) && meant.words != *words && takes(meant.command)
    };
    question(&all_commands(tree).into_iter().filter(fits).collect::<Vec<_>>())
}

fn question(meant: &[MeantCommand<'_>]) -> String {
    if meant.is_empty() {
        return String::new();
    }
    let names = meant.iter().take(NAMED).map(|meant| format!("'{}'", meant.words.join(" ")));
    format!("; did you mean {}?", names.collect::<Vec<_>>().join(" or "))
}

/// The commands that help shows, those of a level before those below it.
fn all_commands(tree: &Command) -> Vec<MeantCommand<'_>> {
    let mut all = Vec::new();
    let mut level = vec![MeantCommand { words: Vec::new(), command: tree }];
    while !level.is_empty() {
        let below = level.iter().flat_map(|meant| {
            let shown = meant.command.get_subcommands().filter(|command| !command.is_hide_set());
            let shown = shown.filter(|command| command.get_name() != HELP);
            shown
                .map(move |command| MeantCommand { words: [&meant.words[..], &[command.get_name()]].concat(), command })
        });
        let below: Vec<MeantCommand<'_>> = below.collect();
        all.extend(below.iter().cloned());
        level = below;
    }
    all
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn a_command_is_found_where_it_is() {
        let tree = Cli::command();
        let of = |words: &[&str], word| meant_instead(&tree, words, word);
        assert_eq!(of(&[], "verify"), "; did you mean 'pool verify'?");
        assert_eq!(of(&[], "backup"), "; did you mean 'pool backup'?");
        assert_eq!(of(&[], "admin"), "; did you mean 'pool admin'?");
        assert_eq!(of(&[], "statement"), "; did you mean 'account statement' or 'pool admin statement'?");
        assert_eq!(of(&["pool"], "credit"), "; did you mean 'pool admin credit'?");
        assert_eq!(of(&["account"], "new"), "; did you mean 'wallet new'?");
        assert_eq!(of(&["pool", "admin"], "verify"), "; did you mean 'pool verify'?");
        assert_eq!(of(&[], "statux"), "; did you mean 'status'?");
        assert_eq!(of(&["pool", "admin"], "leasez"), "; did you mean 'pool admin leases'?");
        assert_eq!(of(&[], "verifu"), "; did you mean 'pool verify'?");
        assert_eq!(of(&[], "backu"), "; did you mean 'pool backup'?");
        assert_eq!(of(&[], "STATUS"), "; did you mean 'status'?");
        assert_eq!(of(&[], "hlep"), "; did you mean 'help'?");
        for word in ["frankfurt", "stop", "node1"] {
            assert_eq!(of(&[], word), "", "{word}");
        }
    }

    #[test]
    fn a_flag_leads_to_the_command_of_the_same_name_that_takes_it() {
        let tree = Cli::command();
        let of = |words: &[&str], refused| {
            command_that_takes(&tree, &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), refused)
        };
        assert_eq!(of(&["link"], "--keystore"), "; did you mean 'account link'?");
        assert_eq!(of(&["link"], "--account=0x12"), "; did you mean 'account link'?");
        assert_eq!(of(&["link"], "wss://pool.example"), "; did you mean 'account link'?");
        assert_eq!(of(&["link"], "--slots"), "");
        assert_eq!(of(&["account", "statement"], "--datadir"), "; did you mean 'pool admin statement'?");
        assert_eq!(of(&[], "--slots"), "");
    }
}
