//! Files in a directory.
//!
//! Owns the mapping from keys to paths and the durability of a write. It keeps no list of what there is
//! and never looks into a file: the extension of the key decides the media type.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use handel_ports::{Blob, BlobError, BlobStore};
use tokio::task;

/// A [`BlobStore`] on a directory of the file system, which several processes may share.
///
/// A segment of a key must not start with a dot, so no key leaves the directory or names a file that is
/// still being written.
pub struct FileBlobs {
    directory: PathBuf,
}

/// Longest key in bytes.
const KEY_MAX: usize = 512;
/// Longest segment in bytes: file systems allow 255, and a temporary name is longer than its key.
const SEGMENT_MAX: usize = 200;

/// Makes temporary names unique within this process.
static WRITES: AtomicU64 = AtomicU64::new(0);

impl FileBlobs {
    /// A store in the given directory, which is made if it is missing.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let directory = directory.into();
        fs::create_dir_all(&directory).map_err(BlobError::Storage)?;
        Ok(Self { directory })
    }

    fn path(&self, key: &str) -> Result<PathBuf, BlobError> {
        let is_sound = key.len() <= KEY_MAX && key.split('/').all(is_segment);
        if is_sound { Ok(self.directory.join(key)) } else { Err(BlobError::Key) }
    }
}

#[async_trait]
impl BlobStore for FileBlobs {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), BlobError> {
        let (root, path) = (self.directory.clone(), self.path(key)?);
        blocking(move || write(&root, &path, &bytes)).await
    }

    async fn get(&self, key: &str) -> Result<Option<Blob>, BlobError> {
        let path = self.path(key)?;
        let bytes = blocking(move || optional(fs::read(&path))).await?;
        let content_type = content_type(key).to_owned();
        Ok(bytes.map(|bytes| Blob { bytes: bytes.into(), content_type }))
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let path = self.path(key)?;
        blocking(move || match optional(fs::remove_file(&path))? {
            Some(()) => sync_directory(parent(&path)),
            None => Ok(()),
        })
        .await
    }
}

fn is_segment(segment: &str) -> bool {
    let is_allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    !segment.is_empty()
        && segment.len() <= SEGMENT_MAX
        && !segment.starts_with('.')
        && segment.bytes().all(is_allowed)
}

fn content_type(key: &str) -> &'static str {
    match Path::new(key).extension().and_then(|extension| extension.to_str()) {
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("gif") => "image/gif",
        Some("pdf") => "application/pdf",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        Some("csv") => "text/csv; charset=utf-8",
        _ => "application/octet-stream",
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    let outcome = task::spawn_blocking(work).await;
    outcome.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(BlobError::Storage)
}

/// Writes next to the target and moves it there, so that readers and a crash see the old or the new file.
fn write(root: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = parent(path);
    create_directories(root, directory)?;
    let (mut file, temporary) = create_temporary(path)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // Best effort: what failed is what the caller must hear of.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_directory(directory)
}

/// Makes what is missing between the root and a directory below it, each entry durable in its parent.
fn create_directories(root: &Path, directory: &Path) -> io::Result<()> {
    if directory == root || directory.is_dir() {
        return Ok(());
    }
    let above = parent(directory);
    create_directories(root, above)?;
    match fs::create_dir(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_directory(above),
    }
}

fn create_temporary(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().expect("a checked key ends with a name").to_string_lossy();
    loop {
        let number = WRITES.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_file_name(format!(".{name}.{}-{number}", process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            // Another machine with the same process id, or a crash, left it: take the next number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((file, temporary)),
        }
    }
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent().expect("every path lies below the root of the store")
}

/// Turns "there is no such file" into none. A key may also run into a directory or through a file.
fn optional<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory => Ok(None),
            _ => Err(error),
        },
    }
}
