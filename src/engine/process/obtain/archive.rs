//! Unpacking an archive that nobody here made: no path leaves the folder, nothing but files and
//! folders is made, and neither their number nor their size is without bounds.

use std::ffi::OsStr;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;

/// How much an archive may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Files and folders.
    pub entries: usize,
    /// Bytes, unpacked.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 20_000,
            bytes: 1024 * 1024 * 1024,
        }
    }
}

/// Where an archive goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unpacked<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// How many leading parts each path loses.
    pub strip: usize,
    /// What lies in here, after that, can be executed by all.
    pub executable: &'a Path,
}

/// Unpacks a gzipped tar archive, and counts its files.
///
/// # Errors
/// When it is damaged, holds a link or a device, leaves its folder, or exceeds the limits.
pub(super) fn unpack(archive: impl Read, into: &Unpacked<'_>, limits: Limits) -> io::Result<usize> {
    // What is read bounds what is written, padding and headers included.
    let bounded = GzDecoder::new(archive).take(limits.bytes);
    let mut tar = tar::Archive::new(bounded);
    let mut files = 0;
    for (count, entry) in tar.entries()?.enumerate() {
        if count >= limits.entries {
            return refuse(format!("it has more than {} entries", limits.entries));
        }
        let mut entry = entry?;
        let path = inside(&entry.path()?, into.strip)?;
        let kind = entry.header().entry_type();
        match path {
            None => {}
            Some(path) if kind.is_dir() => make_folders(into.folder, &path)?,
            Some(path) if kind.is_file() => {
                let program = entry.header().mode()? & 0o111 != 0;
                let executable = program || path.starts_with(into.executable);
                write_file(&mut entry, into.folder, &path, executable)?;
                files += 1;
            }
            Some(_) if kind.is_pax_global_extensions() => {}
            Some(path) => {
                return refuse(format!("{} is neither a file nor a folder", path.display()));
            }
        }
    }
    if tar.into_inner().limit() == 0 {
        return refuse(format!("it unpacks to more than {} bytes", limits.bytes));
    }
    Ok(files)
}

fn refuse<T>(reason: String) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidData, reason))
}

/// The path of an entry inside the folder, without its leading parts; `None` when nothing is
/// left of it.
fn inside(path: &Path, strip: usize) -> io::Result<Option<PathBuf>> {
    let mut parts: Vec<&OsStr> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return refuse(format!("{} leaves the archive's folder", path.display()));
            }
        }
    }
    let kept: PathBuf = parts.into_iter().skip(strip).collect();
    Ok((!kept.as_os_str().is_empty()).then_some(kept))
}

fn make_folders(root: &Path, path: &Path) -> io::Result<()> {
    let folder = root.join(path);
    std::fs::create_dir_all(&folder)?;
    let mut at = root.to_path_buf();
    for part in path.components() {
        at.push(part);
        std::fs::set_permissions(&at, Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn write_file(
    content: &mut impl Read,
    root: &Path,
    path: &Path,
    executable: bool,
) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        make_folders(root, parent)?;
    }
    let place = root.join(path);
    // Twice the same path would be a way to write through something made before.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&place)?;
    io::copy(content, &mut file)?;
    let mode = if executable { 0o755 } else { 0o644 };
    file.set_permissions(Permissions::from_mode(mode))
}

/// Makes a relative link at `target` to `source`, both inside `root`, where `source` must be.
///
/// # Errors
/// When either leaves the folder, or something else is at `target`.
pub(super) fn make_link(root: &Path, source: &Path, target: &Path) -> io::Result<()> {
    let (Some(source), Some(target)) = (inside(source, 0)?, inside(target, 0)?) else {
        return refuse("a link has no name".to_owned());
    };
    let root = root.canonicalize()?;
    let real = root.join(&source).canonicalize()?;
    if !real.starts_with(&root) {
        return refuse(format!("the link {} leaves the package", target.display()));
    }
    let place = root.join(&target);
    let folder = place.parent().unwrap_or(&root).canonicalize()?;
    if !folder.starts_with(&root) {
        return refuse(format!("the link {} leaves the package", target.display()));
    }
    std::os::unix::fs::symlink(relative(&folder, &root.join(&source)), &place)
}

/// How `to` is written from within the folder `from`; both absolute.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, EntryType, Header};

    use super::*;

    fn header(path: &str, kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_gnu();
        // Written past the crate's own check, as a hostile archive would be.
        let bytes = path.as_bytes();
        header.as_old_mut().name[..bytes.len()].copy_from_slice(bytes);
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        header
    }

    fn archive(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, kind, content) in entries {
            let header = header(path, *kind, content.len() as u64);
            builder.append(&header, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn unpack_into(folder: &Path, bytes: &[u8], limits: Limits) -> io::Result<usize> {
        let into = Unpacked {
            folder,
            strip: 1,
            executable: Path::new("native/bin"),
        };
        unpack(bytes, &into, limits)
    }

    #[test]
    fn programs_are_marked_and_leading_folders_stripped() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = archive(&[
            ("package/native/bin/postgres", EntryType::Regular, "elf"),
            ("package/README.md", EntryType::Regular, "text"),
        ]);
        let count = unpack_into(folder.path(), &bytes, Limits::default()).unwrap();
        assert_eq!(count, 2);
        let mode = |path| {
            let found = std::fs::metadata(folder.path().join(path)).unwrap();
            found.permissions().mode() & 0o777
        };
        assert_eq!(mode("native/bin/postgres"), 0o755);
        assert_eq!(mode("README.md"), 0o644);
    }

    #[test]
    fn hostile_archives_are_refused() {
        let hostile: [&[(&str, EntryType, &str)]; 5] = [
            &[("package/../../escaped", EntryType::Regular, "x")],
            &[("/package/absolute", EntryType::Regular, "x")],
            &[("package/link", EntryType::Symlink, "")],
            &[("package/hard", EntryType::Link, "")],
            &[
                ("package/twice", EntryType::Regular, "x"),
                ("package/twice", EntryType::Regular, "y"),
            ],
        ];
        for entries in hostile {
            let folder = tempfile::tempdir().unwrap();
            let refused = unpack_into(folder.path(), &archive(entries), Limits::default());
            assert!(refused.is_err(), "{entries:?}");
            assert!(!folder.path().parent().unwrap().join("escaped").exists());
        }
    }

    #[test]
    fn bombs_are_refused() {
        let large = "0".repeat(100_000);
        let bytes = archive(&[("package/large", EntryType::Regular, &large)]);
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            entries: 10,
            bytes: 50_000,
        };
        assert!(unpack_into(folder.path(), &bytes, limits).is_err());
        let names: Vec<String> = (0..20).map(|number| format!("package/{number}")).collect();
        let entries: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), EntryType::Regular, ""))
            .collect();
        let many = unpack_into(folder.path(), &archive(&entries), limits);
        assert!(many.is_err());
    }

    #[test]
    fn links_stay_inside_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("package");
        std::fs::create_dir_all(root.join("lib")).unwrap();
        std::fs::write(root.join("lib/libpq.so.5.17"), "").unwrap();
        std::fs::write(folder.path().join("outside"), "").unwrap();
        let link =
            |source: &str, target: &str| make_link(&root, Path::new(source), Path::new(target));
        link("lib/libpq.so.5.17", "lib/libpq.so").unwrap();
        let made = std::fs::read_link(root.join("lib/libpq.so")).unwrap();
        assert_eq!(made, Path::new("libpq.so.5.17"));
        assert!(link("../outside", "lib/a").is_err());
        assert!(link("lib/libpq.so.5.17", "../b").is_err());
        assert!(link("lib/absent", "lib/c").is_err());
        std::os::unix::fs::symlink(folder.path(), root.join("out")).unwrap();
        assert!(link("out/outside", "lib/d").is_err());
        assert!(link("lib/libpq.so.5.17", "out/e").is_err());
    }
}

#[cfg(test)]
mod properties;
