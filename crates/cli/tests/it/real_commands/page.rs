use std::path::PathBuf;

/// What a reader does, in the order of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Saves a file: a block whose first line is a comment with the file's name.
    Save { file: PathBuf, text: String },
    /// Types a command.
    Type(Typed),
    /// Presses Ctrl-C, which prints these lines.
    Interrupt { shown: Vec<String> },
}

/// A command of a page, and the output that the page shows below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub line: String,
    pub shown: Vec<String>,
    /// The text before it states that it is typed on the pool's machine.
    pub on_pool: bool,
}

/// The steps of a page of Markdown. An error names a block that does not say what it is.
///
/// A block `sh` has a command on each line, and a block `text` commands behind `$ `, each followed by its output. A
/// block `text` without a command is the output of Ctrl-C if the paragraph before it mentions Ctrl-C.
pub fn steps(page: &str) -> Result<Vec<Step>, String> {
    let (mut steps, mut paragraph, mut blank) = (Vec::new(), String::new(), false);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            if !line.is_empty() && blank {
                paragraph.clear();
            }
            paragraph.push_str(line);
            blank = line.is_empty();
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let within = lines.by_ref().take_while(|line| line.trim() != "```");
        let block: Vec<&str> = within.map(|line| line.get(indent..).unwrap_or_default()).collect();
        match language {
            "" => return Err(format!("a block without a language begins with {:?}", block.first())),
            "sh" => {
                let on_pool = paragraph.contains("pool's machine");
                let typed = commands(&block)?.into_iter().map(|line| Typed { line, shown: Vec::new(), on_pool });
                steps.extend(typed.map(Step::Type));
            }
            "text" if block.iter().any(|line| line.starts_with("$ ")) => steps.extend(session(&block)),
            "text" if paragraph.contains("Ctrl-C") => {
                steps.push(Step::Interrupt { shown: block.into_iter().map(ToOwned::to_owned).collect() });
            }
            "toml" => steps.extend(saved(&block)),
            _ => {}
        }
        paragraph.clear();
    }
    Ok(steps)
}

/// A command can go over several lines: by a backslash, or within quotes.
fn commands(block: &[&str]) -> Result<Vec<String>, String> {
    let (mut commands, mut command) = (Vec::new(), String::new());
    for line in block {
        command.push_str(line);
        if command.ends_with('\\') || shlex::split(&command).is_none() {
            command.push('\n');
        } else if !command.trim().is_empty() {
            commands.push(std::mem::take(&mut command));
        }
    }
    if command.is_empty() { Ok(commands) } else { Err(format!("a command without an end: {command}")) }
}

fn session(block: &[&str]) -> Vec<Step> {
    let mut typed: Vec<Typed> = Vec::new();
    for line in block {
        match (line.strip_prefix("$ "), typed.last_mut()) {
            (Some(command), _) => typed.push(Typed { line: command.to_owned(), shown: Vec::new(), on_pool: false }),
            (None, Some(last)) if last.line.ends_with('\\') => last.line += &format!("\n{line}"),
            (None, Some(last)) => last.shown.push((*line).to_owned()),
            (None, None) => {}
        }
    }
    typed.into_iter().map(Step::Type).collect()
}

/// The file of a block that begins with `# /etc/vipnode/agent.toml`.
fn saved(block: &[&str]) -> Option<Step> {
    let first = block.first()?.strip_prefix("# ")?.split(' ').next()?.trim_end_matches(':');
    let text = block.iter().map(|line| format!("{line}\n")).collect();
    first.ends_with(".toml").then(|| Step::Save { file: first.into(), text })
}

#[test]
fn a_page_is_taken_apart() {
    let page = "On the pool's machine:\n\n```sh\nls \\\n  -l   # all\nprintf 'a\nb'\n```\n\n```text\n$ vipnode pool\n✓ Listening\n$ id\n```\n\
        ```toml\n# a.toml: x\nslots = 1\n```\nPress Ctrl-C.\n\nOr:\n\n```text\nseen as an example only\n```\nPress Ctrl-C:\n```text\n✓ Stopped\n```\n";
    let typed = |line: &str, shown: &[&str], on_pool| {
        let shown = shown.iter().map(|line| (*line).to_owned()).collect();
        Step::Type(Typed { line: line.to_owned(), shown, on_pool })
    };
    let expected = [
        typed("ls \\\n  -l   # all", &[], true),
        typed("printf 'a\nb'", &[], true),
        typed("vipnode pool", &["✓ Listening"], false),
        typed("id", &[], false),
        Step::Save { file: "a.toml".into(), text: "# a.toml: x\nslots = 1\n".to_owned() },
        Step::Interrupt { shown: vec!["✓ Stopped".to_owned()] },
    ];
    assert_eq!(steps(page).unwrap(), expected);
    assert!(steps("```\nls\n```\n").is_err() && steps("```sh\necho 'a\n```\n").is_err());
}
