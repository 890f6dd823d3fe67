//! Links gcc's unwinder into the binary statically, so that the binary depends only on libc.
#![allow(clippy::print_stdout, reason = "how a build script speaks to cargo")]

use std::{env, fs, path::PathBuf, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(folder) = static_unwinder() {
        println!("cargo:rustc-link-arg-bins=-L{}", folder.display());
    }
}

/// A folder with the static unwinder under the name of the shared one, which rustc links. `None` for another machine
/// than this, and where gcc has no such file; the binary then needs libgcc_s.so too.
fn static_unwinder() -> Option<PathBuf> {
    let target = env::var("TARGET").ok()?;
    if !target.ends_with("-linux-gnu") || env::var("HOST").ok()? != target {
        return None;
    }
    let found = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let file = PathBuf::from(String::from_utf8(found.stdout).ok()?.trim());
    let folder = PathBuf::from(env::var_os("OUT_DIR")?);
    fs::copy(file, folder.join("libgcc_s.a")).ok()?;
    Some(folder)
}
