use std::fs;

use tempfile::tempdir;
use vipnode_types::TypedError as _;

use super::*;

const FILE: RecordFile = RecordFile { name: "orders", records: 3 };

fn dir(path: &std::path::Path) -> OpenDir {
    OpenDir::create(path).unwrap()
}

fn read(path: &std::path::Path) -> Result<Vec<u32>, StoreError> {
    FILE.read(&dir(path))
}

#[test]
fn reads_what_it_wrote_and_nothing_where_no_file_is() {
    let root = tempdir().unwrap();
    assert_eq!(read(root.path()), Ok(vec![]));
    FILE.write(&dir(root.path()), [7_u32, 8].into_iter()).unwrap();
    assert_eq!(read(root.path()), Ok(vec![7, 8]));
}

#[test]
fn a_damaged_file_is_an_error_and_stays_as_it_is() {
    let root = tempdir().unwrap();
    FILE.write(&dir(root.path()), [7_u32, 8].into_iter()).unwrap();
    let file = root.path().join("orders");
    let whole = fs::read(&file).unwrap();
    let mut damages: Vec<Vec<u8>> = (0..whole.len()).map(|len| whole[..len].to_vec()).collect();
    let flipped = (0..whole.len()).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    });
    damages.extend(flipped);
    damages.push(vec![0xff; 100]);
    for damage in damages {
        fs::write(&file, &damage).unwrap();
        let error = read(root.path()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.hint().unwrap().contains("move the file elsewhere"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), damage);
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(read(root.path()), Err(StoreError::Damaged { .. })));
}

#[test]
fn what_a_crash_left_half_written_is_replaced() {
    let root = tempdir().unwrap();
    fs::write(root.path().join("orders.part"), "half").unwrap();
    FILE.write(&dir(root.path()), [7_u32].into_iter()).unwrap();
    assert!(!root.path().join("orders.part").exists());
    assert_eq!(read(root.path()), Ok(vec![7]));
}

#[test]
fn a_file_holds_a_bounded_number_of_records() {
    let text = FILE.text(0..10).unwrap();
    assert_eq!(FILE.parse::<u32>(&text), Ok(vec![0, 1, 2]));
}

#[test]
fn a_file_that_cannot_be_replaced_is_an_error() {
    let root = tempdir().unwrap();
    // A directory cannot be replaced by a file, even by root.
    fs::create_dir(root.path().join("orders")).unwrap();
    let written = FILE.write(&dir(root.path()), [7_u32].into_iter());
    assert!(matches!(written, Err(StoreError::Unavailable { .. })), "{written:?}");
}

#[test]
#[cfg(unix)]
fn no_link_in_the_directory_is_followed_and_its_path_is_used_once() {
    use std::os::unix::fs::symlink;

    let (root, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let (path, moved) = (root.path().join("pool"), root.path().join("moved"));
    let opened = dir(&path);
    fs::rename(&path, &moved).unwrap();
    symlink(elsewhere.path(), &path).unwrap();
    FILE.write(&opened, [7_u32].into_iter()).unwrap();
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    fs::rename(moved.join("orders"), elsewhere.path().join("orders")).unwrap();
    symlink(elsewhere.path().join("orders"), moved.join("orders")).unwrap();
    let error = read(&moved).unwrap_err();
    assert!(error.to_string().contains("links in a state directory are not followed"), "{error}");
}

/// A ban on a full disk: a small one, in memory.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named() {
    let root = tempdir().unwrap();
    let at = root.path().to_str().unwrap();
    let run = |args: &[&str]| std::process::Command::new(args[0]).args(&args[1..]).status().unwrap().success();
    if !run(&["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", at]) {
        // In a container that may not mount anything. In CI, tests run in a namespace of their own.
        return;
    }
    FILE.write(&dir(root.path()), [7_u32].into_iter()).unwrap();
    let mut filler = fs::File::create(root.path().join("filler")).unwrap();
    while std::io::Write::write_all(&mut filler, &[0; 4_096]).is_ok() {}
    let written = FILE.write(&dir(root.path()), [8_u32].into_iter());
    let kept = read(root.path());
    drop(filler);
    assert!(run(&["umount", at]));
    assert_eq!((written, kept), (Err(StoreError::Full { file: root.path().join("orders") }), Ok(vec![7])));
}
