//! Whether a program can be found.

use std::ffi::OsStr;
use std::path::Path;

/// Whether `program` is an executable file, at its path or in one of the folders of `PATH`.
pub(super) fn exists(program: &str, path: Option<&OsStr>) -> bool {
    if program.contains('/') {
        return is_executable(Path::new(program));
    }
    path.is_some_and(|path| {
        std::env::split_paths(path).any(|folder| is_executable(&folder.join(program)))
    })
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
