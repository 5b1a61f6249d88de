//! Finds libhs (Hyperscan 5.4) with pkg-config and links the static archive when there is one, so
//! that what is built from it carries its own engine.
//!
//! Debian compiles `libhs.a` for executables (PIE), not for shared libraries. It still fits into the
//! Python extension as long as every symbol it uses is inside as well, hence the static C++ runtime.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};

const MISSING: &str = "Hyperscan >= 5.4 was not found. Install it (Debian, Ubuntu: `apt-get install \
libhyperscan-dev pkg-config g++`), or build without it: `--no-default-features` leaves the pure-Rust \
engine.";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let found = pkg_config::Config::new()
        .atleast_version("5.4")
        .cargo_metadata(false)
        .env_metadata(true)
        .probe("libhs");
    let library = match found {
        Ok(library) => library,
        Err(error) => {
            eprintln!("error: {MISSING}\n\n{error}");
            exit(1);
        }
    };
    // pkg-config leaves out the system's own folders, which is where Debian puts the archive.
    let mut folders = library.link_paths;
    if let Ok(folder) = pkg_config::get_variable("libhs", "libdir") {
        folders.push(PathBuf::from(folder));
    }
    let archive = folders.iter().find(|folder| folder.join("libhs.a").exists());
    match (archive, folder_of_static_runtime()) {
        (Some(archive), Some(runtime)) => {
            link("static", "hs", archive);
            link("static:-bundle", "stdc++", &runtime);
        }
        _ => {
            folders.iter().for_each(|folder| search(folder));
            println!("cargo:rustc-link-lib=dylib=hs");
        }
    }
}

fn link(kind: &str, name: &str, folder: &Path) {
    search(folder);
    println!("cargo:rustc-link-lib={kind}={name}");
}

fn search(folder: &Path) {
    println!("cargo:rustc-link-search=native={}", folder.display());
}

/// Where the C++ compiler keeps `libstdc++.a`, if there is both.
fn folder_of_static_runtime() -> Option<PathBuf> {
    let output = Command::new("c++").arg("-print-file-name=libstdc++.a").output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    // The compiler answers with the bare name if it has no such file.
    path.parent().filter(|folder| folder.is_absolute()).map(Path::to_path_buf)
}
