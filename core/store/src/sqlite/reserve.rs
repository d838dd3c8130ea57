//! Room that is kept for a start on a full disk.
//!
//! SQLite needs a few pages before it can even be read from, and a shop that starts writes a little. A file that holds
//! nothing keeps that much of the disk; it is given up when the disk is full, and made again when there is room.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::ROOM_MIN;

const FILE: &str = "reserve";
const SIZE: u64 = 1 << 20;

/// How much room the disk of a directory has, in bytes.
pub(super) fn room(directory: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Gives the room to the start that follows if the disk has little, else keeps some for a later one.
pub(super) fn prepare(directory: &Path) {
    let path = directory.join(FILE);
    let prepared = match room(directory) {
        Ok(room) if room < ROOM_MIN => fs::remove_file(&path),
        Ok(_) if fs::metadata(&path).is_ok_and(|there| there.len() == SIZE) => Ok(()),
        Ok(_) => make(&path),
        Err(error) => Err(error),
    };
    if let Err(error) = prepared {
        // The start itself says what is wrong with the directory.
        tracing::debug!(%error, "no room is kept for a full disk");
    }
}

/// Writes every byte, because a hole in a file keeps nothing.
fn make(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(path)?;
    io::copy(&mut io::repeat(0).take(SIZE), &mut file).map(drop)
}
