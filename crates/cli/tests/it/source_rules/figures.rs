//! `SECURITY.md` states the figures that were measured last.

use super::{read, workspace};

/// The head of the table in `SECURITY.md`. The rows follow.
const HEAD: &str = "\
| attack | report latency during the attack | without it | ratio | pool memory | within target |
|---|---|---|---|---|---|
";

#[test]
fn the_security_page_states_the_figures_of_the_benchmarks() {
    let benchmarks = read(&workspace().join("docs/benchmarks.md"));
    let measured = |line: &&str| line.starts_with("| fairness |") || line.starts_with("| hostile |");
    let table: String = benchmarks.lines().filter(measured).map(row).collect();
    assert!(table.lines().count() >= 11, "{table}");
    let path = workspace().join("SECURITY.md");
    let page = read(&path);
    let (before, rest) = page.split_once(HEAD).expect("SECURITY.md has the table of figures");
    let rows = rest.split_inclusive('\n').take_while(|line| line.starts_with("| ")).map(str::len).sum();
    let (rows, after) = rest.split_at(rows);
    if std::env::var_os("WRITE").is_some() {
        std::fs::write(path, format!("{before}{HEAD}{table}{after}")).unwrap();
        return;
    }
    assert!(
        rows == table,
        "write them again: WRITE=1 cargo test -p vipnode --test it the_security_page_states_the_figures_of_the_benchmarks"
    );
    for words in ["times the baseline", " µs"] {
        assert!(!before.contains(words) && !after.contains(words), "a figure outside of the table: {words}");
    }
}

/// A row of the benchmarks, as `SECURITY.md` states it.
fn row(line: &str) -> String {
    let columns: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [_, what, figure, floor, ratio, _, reached] = columns[..] else { panic!("{line}") };
    let attack = what.split_once(" during ").unwrap().1.trim_end_matches(", default limits");
    let [during, without] = [figure, floor].map(|text| text.split_once(", p50 ").unwrap().0);
    let [before, after] = [floor, figure].map(|text| text.rsplit_once("; memory ").unwrap().1);
    format!("| {attack} | {during} | {without} | {ratio} | {before}, {after} | {reached} |\n")
}

#[test]
fn a_row_is_read_as_it_is_written() {
    let line = "| hostile | reports from 50 other agents during a storm, default limits | p99 511 µs, p50 82 µs, 3000 answers; \
                memory 3636 KiB afterward | p99 250 µs before and 240 µs after, p50 88 µs and 80 µs; memory 1476 KiB before | \
                2.08 times | p99 <= 2 times | **no** |";
    let row = row(line);
    assert_eq!(
        row,
        "| a storm | p99 511 µs | p99 250 µs before and 240 µs after | 2.08 times | 1476 KiB before, 3636 KiB afterward | \
         **no** |\n"
    );
}
