//! Finds libhs (Hyperscan 5.4) with pkg-config and links the static archive when there is one, so
//! that what is built from it carries its own engine.

use std::path::PathBuf;
use std::process::exit;

const MISSING: &str = "Hyperscan >= 5.4 was not found. Install it (Debian, Ubuntu: `apt-get install \
libhyperscan-dev pkg-config`), or build without it: `--no-default-features` leaves the pure-Rust \
engine.";

fn main() {
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
    for folder in &folders {
        println!("cargo:rustc-link-search=native={}", folder.display());
    }
    let archive = folders.iter().any(|folder| folder.join("libhs.a").exists());
    let kind = if archive { "static" } else { "dylib" };
    println!("cargo:rustc-link-lib={kind}=hs");
    if archive {
        println!("cargo:rustc-link-lib=dylib=stdc++");
        println!("cargo:rustc-link-lib=dylib=m");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
