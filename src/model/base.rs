//! Where it is kept what was generated last time, by name.

/// The folder of the indexes, one for each service: which files were generated for it.
pub const INDEX_FOLDER: &str = ".gantline/base/index";
/// The index of the workspace's own files; no service can have its name.
pub const WORKSPACE_INDEX: &str = "_workspace";
