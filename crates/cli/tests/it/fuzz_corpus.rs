//! The fuzz targets on their committed corpus. `fuzz/run` looks for new inputs.

use std::{collections::BTreeSet, fs, path::PathBuf};

use arbitrary::{Arbitrary, Unstructured};

#[path = "../../../../fuzz/src/lib.rs"]
mod targets;

fn fuzz(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(folder)
}

/// Decodes as `fuzz_target!` does.
fn replay(target: &str, run: impl Fn(Unstructured<'_>)) {
    let mut inputs = 0;
    for entry in fs::read_dir(fuzz("corpus").join(target)).unwrap() {
        let path = entry.unwrap().path();
        // A test that fails shows which input did it.
        #[expect(clippy::print_stdout, reason = "only a failing test is shown")]
        {
            println!("{}", path.display());
        }
        run(Unstructured::new(&fs::read(path).unwrap()));
        inputs += 1;
    }
    assert!(inputs > 0, "{target} has no corpus");
}

macro_rules! replayed {
    ($($target:ident),+ $(,)?) => {
        $(
            #[test]
            fn $target() {
                replay(stringify!($target), |input| {
                    targets::$target::run(Arbitrary::arbitrary_take_rest(input).unwrap());
                });
            }
        )+

        #[test]
        fn every_target_is_replayed() {
            let sources = fs::read_dir(fuzz("fuzz_targets")).unwrap();
            let names: BTreeSet<String> = sources
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            assert_eq!(names, BTreeSet::from([$(stringify!($target).to_owned()),+]));
        }
    };
}

replayed!(
    amounts,
    chain_answers,
    config,
    enode,
    frames,
    node_answers,
    node_keys,
    protocol2,
    protocol3,
    proxy_protocol,
    signatures,
    vouchers
);
