//! Schemas and resource types of every tenant, from the files of a folder.

use std::path::{Path, PathBuf};

use crate::service::schemas::Definitions;

/// Longest file, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// What all `*.json` of a folder define together; they may stand in any order.
///
/// # Errors
/// The file and what is wrong with it, or the folder and what does not stand together.
pub fn read(folder: &Path) -> Result<Definitions, (PathBuf, String)> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        move |error: std::io::Error| (path, error.to_string())
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault(folder))? {
        let path = entry.map_err(fault(folder))?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            files.push(path);
        }
    }
    files.sort();
    let mut definitions = Definitions::default();
    for path in files {
        let length = std::fs::metadata(&path).map_err(fault(&path))?.len();
        if length > MAX_BYTES {
            return Err((path, format!("a file has at most {MAX_BYTES} bytes")));
        }
        let text = std::fs::read_to_string(&path).map_err(fault(&path))?;
        let value = serde_json::from_str(&text).map_err(|error| (path.clone(), error.to_string()))?;
        definitions
            .add(&value)
            .map_err(|fault| (path.clone(), fault.to_string()))?;
    }
    definitions
        .check()
        .map_err(|fault| (folder.to_owned(), fault.to_string()))?;
    Ok(definitions)
}
