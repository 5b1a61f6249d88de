//! A folder of a test's own.

use std::path::{Path, PathBuf};

/// Removed with all that is in it when dropped.
pub struct TempFolder(PathBuf);

impl TempFolder {
    /// A new, empty folder.
    pub fn make() -> Self {
        let path = std::env::temp_dir().join(format!("llmgw-store-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&path).unwrap();
        TempFolder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // A folder left behind in the temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
