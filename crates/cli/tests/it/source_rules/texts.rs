//! All texts of the repository that people write: sources, pages, settings, and scripts.

use super::workspace;

/// A file that people write, without generated code and data.
pub(super) struct TextFile {
    /// The path below the workspace's folder.
    pub(super) path: String,
    pub(super) text: String,
    kind: TextKind,
}

/// Where a file has its prose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextKind {
    /// After `//`.
    Source,
    /// Everywhere but in code blocks.
    Page,
    /// After `#`.
    Settings,
}

impl TextKind {
    fn of(path: &str, text: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or_default();
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("rs" | "sol") => Some(Self::Source),
            Some("md") => Some(Self::Page),
            Some("toml" | "yml" | "yaml" | "service") => Some(Self::Settings),
            // Scripts, and files such as `Containerfile`.
            None if text.starts_with("#!/usr/bin/env node") => Some(Self::Source),
            None if text.starts_with('#') => Some(Self::Settings),
            _ => None,
        }
    }
}

impl TextFile {
    /// The paragraphs of a page outside code blocks, or the comments of another file, each with the number of its first
    /// line. Successive lines are joined.
    pub(super) fn prose(&self) -> Vec<(usize, String)> {
        let mut paragraphs: Vec<(usize, String)> = Vec::new();
        let (mut is_code, mut goes_on) = (false, false);
        for (number, line) in self.text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
            let is_fence = self.kind == TextKind::Page && line.starts_with("```");
            is_code ^= is_fence;
            let (prose, is_whole_line) = match self.kind {
                TextKind::Page if is_code || is_fence => (None, false),
                TextKind::Page => (Some(line).filter(|line| !line.is_empty()), true),
                TextKind::Source => comment(line, "//"),
                TextKind::Settings => comment(line, "#"),
            };
            let is_joined = goes_on && is_whole_line && !line.starts_with('|');
            goes_on = prose.is_some() && is_whole_line;
            let Some(prose) = prose else { continue };
            match paragraphs.last_mut() {
                Some((_, last)) if is_joined => {
                    last.push(' ');
                    last.push_str(prose);
                }
                _ => paragraphs.push((number, prose.to_owned())),
            }
        }
        paragraphs
    }
}

/// The comment in a line, and whether the line has nothing else.
fn comment<'a>(line: &'a str, mark: &str) -> (Option<&'a str>, bool) {
    if line.starts_with(mark) {
        return (Some(line), true);
    }
    (line.split_once(&format!(" {mark} ")).map(|(_, comment)| comment), false)
}

/// All such files, in order of their paths.
pub(super) fn texts() -> Vec<TextFile> {
    let root = workspace();
    let left_out = ["target", "node_modules", ".git", "artifacts", "corpus"];
    let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter();
    let files = files.filter_entry(|entry| !left_out.iter().any(|name| entry.file_name() == *name));
    let mut texts = Vec::new();
    for entry in files.map(Result::unwrap).filter(|entry| entry.file_type().is_file()) {
        let path = entry.path().strip_prefix(&root).unwrap().display().to_string();
        let name = entry.file_name().to_string_lossy();
        if [".json", ".lock", ".snap"].iter().any(|end| name.ends_with(end)) {
            continue;
        }
        let Ok(text) = String::from_utf8(std::fs::read(entry.path()).unwrap()) else { continue };
        if let Some(kind) = TextKind::of(&path, &text) {
            texts.push(TextFile { path, text, kind });
        }
    }
    for needed in ["README.md", "Cargo.toml", "test", "contracts/src/Payouts.sol", "packaging/prometheus/alerts.yml"] {
        assert!(texts.iter().any(|file| file.path == needed), "{needed} is not read");
    }
    texts
}
