//! The commands in the README and the book are valid for the command line as it is now.

use std::{collections::BTreeSet, fs, path::PathBuf};

use clap::CommandFactory;

use crate::args::Cli;

/// The README, SECURITY.md, and each page of the book, by name.
fn pages() -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let book = fs::read_dir(root.join("docs/book/src")).unwrap().map(|entry| entry.unwrap().path());
    let pages = book.chain([root.join("README.md"), root.join("SECURITY.md")]);
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut pages: Vec<(String, String)> = pages
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    pages.sort();
    pages
}

/// The lines of fenced blocks that call vipnode, without prompt, variables before it, and remarks behind it. Where
/// some have a prompt, the others are what was printed.
fn typed(page: &str) -> Vec<String> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    let whole = blocks.map(|block| {
        let (_, lines) = block.split_once('\n').unwrap_or_default();
        lines.split("\\\n").map(str::trim_start).collect::<String>()
    });
    let lines = whole.flat_map(|block| {
        let lines: Vec<String> = block.lines().map(|line| line.trim().to_owned()).collect();
        let prompted = lines.iter().any(|line| line.starts_with("$ "));
        lines.into_iter().filter(move |line| !prompted || line.starts_with("$ "))
    });
    lines.filter_map(|line| call(&line)).collect()
}

fn call(line: &str) -> Option<String> {
    let mut rest = line.trim_start_matches("$ ").trim_start_matches("./");
    if let Some(after) = rest.strip_prefix("sudo ") {
        rest = after;
        if let Some(user) = rest.strip_prefix("-u ") {
            rest = user.split_once(' ')?.1;
        }
    }
    while let Some((variable, after)) = rest.split_once(' ') {
        if !(variable.starts_with("VIPNODE_") && variable.contains('=')) {
            break;
        }
        rest = after;
    }
    let rest = rest.strip_prefix("cargo run --release -- ").or_else(|| rest.strip_prefix("vipnode "))?;
    // A remark stands behind a # or, in the examples of --help, behind two spaces; the rest of a pipe is ignored.
    let end = [" #", "  ", " | ", " > ", " && ", " &"].iter().filter_map(|sign| rest.find(sign)).min();
    Some(format!("vipnode {}", rest.get(..end.unwrap_or(rest.len()))?.trim()))
}

/// Words as a shell splits them, for the syntax that pages use.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in line.chars() {
        match (letter, quote) {
            ('"' | '\'', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            (' ', None) => words.push(std::mem::take(&mut word)),
            (letter, _) => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Clap's own lines of usage, `vipnode host [OPTIONS] [POOL]`, and places to be filled in.
fn is_a_form(line: &str) -> bool {
    line.contains("[OPTIONS]") || line.contains('<') || line.contains("[SHELL]")
}

#[test]
fn each_line_to_be_typed_is_understood() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for (name, page) in pages() {
        for line in typed(&page).into_iter().filter(|line| !is_a_form(line)) {
            seen += 1;
            // What the reader fills in.
            let filled = line.replace("0x…", "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
            let filled = filled.replace("02…", &format!("02{}", "ab".repeat(32)));
            let Err(error) = Cli::read(words(&filled)) else { continue };
            use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
            // A delegation that ends in … is one to be filled in.
            let to_fill_in = line.contains('…') && error.kind() == clap::error::ErrorKind::ValueValidation;
            if !(to_fill_in || matches!(error.kind(), DisplayHelp | DisplayVersion)) {
                wrong.push(format!("{name}: {line}\n{error}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 40, "only {seen} lines found");
}

/// `vipnode …` within a sentence may be a part of a line only: its command and its flags have to be there.
#[test]
fn each_flag_in_a_sentence_is_one_of_its_command() {
    let mut tree = Cli::command();
    tree.build();
    let mut wrong = Vec::new();
    for (name, page) in pages() {
        for span in page.split('`').skip(1).step_by(2).filter_map(|span| span.strip_prefix("vipnode ")) {
            let words = words(span);
            let mut command = &tree;
            for word in &words {
                let Some(below) = command.find_subcommand(word) else { break };
                command = below;
            }
            let known: BTreeSet<String> = command
                .get_arguments()
                .flat_map(|arg| arg.get_long_and_visible_aliases().unwrap_or_default())
                .map(|flag| format!("--{flag}"))
                .collect();
            let flags = words.iter().filter_map(|word| word.split('=').next()).filter(|word| word.starts_with("--"));
            wrong.extend(flags.filter(|flag| !known.contains(*flag)).map(|flag| format!("{name}: {flag} in {span}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_line_is_found_in_a_block_and_taken_apart() {
    let page = "x `vipnode no`\n```sh\n$ sudo -u geth vipnode host wss://p \\\n  --slots 3   # three\nvipnode prints\n```\n```sh\nVIPNODE_POOL=a vipnode client\nls\n```\n";
    assert_eq!(typed(page), ["vipnode host wss://p --slots 3", "vipnode client"]);
    assert_eq!(words("a \"b c\" 'd  e' f"), ["a", "b c", "d  e", "f"]);
}

#[test]
fn the_page_of_the_command_line_has_no_empty_default_and_no_indented_usage() {
    let page = super::markdown();
    assert!(!page.contains("[default: ``]"), "an empty value");
    assert!(page.contains("\nvipnode pool [OPTIONS]\nvipnode pool <COMMAND>\n"), "the second line of a usage");
}

/// A command that only reads accepts no flag for what it sends, and its help does not say that it signs.
#[test]
fn a_wallet_command_that_only_reads_neither_signs_nor_sends() {
    let page = super::markdown();
    for name in ["address", "balance"] {
        let (_, section) = page.split_once(&format!("\n### vipnode wallet {name}\n")).unwrap();
        let section = section.split_once("\n### ").map_or(section, |(section, _)| section);
        assert!(!section.contains("Sign with") && !section.contains("--max-gas-price"), "{section}");
    }
}
