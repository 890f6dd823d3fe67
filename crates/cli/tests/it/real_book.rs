//! The book as mdbook builds it, and the links of it and of the other documents.
//! `VIPNODE_TEST_MDBOOK` is the path of mdbook.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Builds the book of this folder; mdbook's error where it cannot.
fn build(book: &Path, into: &Path) -> Result<(), String> {
    let mdbook = std::env::var_os("VIPNODE_TEST_MDBOOK").unwrap_or_else(|| "mdbook".into());
    let output = Command::new(mdbook).arg("build").arg(book).arg("--dest-dir").arg(into).output();
    let output = output.expect("VIPNODE_TEST_MDBOOK with the path of mdbook");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Values of an attribute.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let parts = html.split(&format!(" {attribute}=\"")).skip(1).collect::<Vec<_>>();
    parts.into_iter().filter_map(|rest| rest.split('"').next()).collect()
}

/// Links within the folder that lead nowhere.
fn broken(folder: &Path) -> (usize, Vec<String>) {
    let pages: BTreeMap<PathBuf, String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .map(|path| (path.canonicalize().unwrap(), fs::read_to_string(&path).unwrap()))
        .collect();
    let (mut seen, mut wrong) = (0, Vec::new());
    for (path, html) in &pages {
        // What a server shows for a page that is not there knows no folder.
        for link in values(html, "href").into_iter().chain(values(html, "src")).filter(|_| !path.ends_with("404.html"))
        {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let to = if file.is_empty() { Ok(path.clone()) } else { path.with_file_name(file).canonicalize() };
            let found = to.is_ok_and(|to| {
                let ids = |html: &String| anchor.is_empty() || values(html, "id").contains(&anchor);
                to.starts_with(folder.canonicalize().unwrap()) && pages.get(&to).is_none_or(ids)
            });
            if !found {
                wrong.push(format!("{}: {link}", path.file_name().unwrap().display()));
            }
        }
    }
    (seen, wrong)
}

#[test]
fn each_link_of_the_book_leads_somewhere() {
    let dir = tempfile::tempdir().unwrap();
    build(&root().join("docs/book"), dir.path()).unwrap();
    let (seen, wrong) = broken(dir.path());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 300, "only {seen} links found");
}

/// A sign that is escaped twice reads as `&lt;`.
#[test]
fn no_page_shows_an_escaped_sign() {
    let dir = tempfile::tempdir().unwrap();
    build(&root().join("docs/book"), dir.path()).unwrap();
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(dir.path()).into_iter().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|extension| extension == "html") {
            let page = fs::read_to_string(entry.path()).unwrap();
            for sign in ["&amp;lt;", "&amp;gt;", "&amp;amp;", "&amp;quot;"] {
                assert!(!page.contains(sign), "{} shows {sign}", entry.path().display());
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} pages");
}

/// mdbook shows no page that nobody lists.
#[test]
fn each_page_is_listed() {
    let src = root().join("docs/book/src");
    let summary = fs::read_to_string(src.join("SUMMARY.md")).unwrap();
    let pages = fs::read_dir(&src).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: Vec<String> = pages.filter(|page| page.ends_with(".md") && page != "SUMMARY.md").collect();
    assert!(pages.len() > 15, "{pages:?}");
    let unlisted: Vec<&String> = pages.iter().filter(|page| !summary.contains(&format!("({page})"))).collect();
    assert!(unlisted.is_empty(), "list them in SUMMARY.md: {unlisted:?}");
}

#[test]
fn a_page_or_an_anchor_that_is_not_there_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (book, built) = (dir.path().join("book"), dir.path().join("built"));
    fs::create_dir_all(book.join("src")).unwrap();
    for file in ["book.toml", "book.css"] {
        fs::copy(root().join("docs/book").join(file), book.join(file)).unwrap();
    }
    fs::write(book.join("src/SUMMARY.md"), "- [A](a.md)\n").unwrap();
    let page = "# A\n## There\n[1](b.md) [2](#nowhere) [3](#there) [4](a.md#there) [5](../../../etc/passwd) [6](https://x.example)\n";
    fs::write(book.join("src/a.md"), page).unwrap();
    build(&book, &built).unwrap();
    let (_, wrong) = broken(&built);
    let of_page: BTreeSet<&str> = wrong.iter().filter_map(|wrong| wrong.strip_prefix("a.html: ")).collect();
    assert_eq!(of_page, BTreeSet::from(["#nowhere", "../../../etc/passwd", "b.html"]));
    fs::write(book.join("src/SUMMARY.md"), "- [B](b.md)\n").unwrap();
    assert!(build(&book, &built).unwrap_err().contains("b.md"));
}

#[test]
fn each_link_of_the_other_documents_leads_to_a_file() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for paper in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(root().join(paper)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            seen += 1;
            if !link.contains("://") && !root().join(file).exists() {
                wrong.push(format!("{paper}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 5, "only {seen} links found");
}
