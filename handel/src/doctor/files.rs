//! Whether files can be written, who may read them, and whether the clock fits them.

use std::{
    fs::{self, Metadata},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use handel_ports::System;
use jiff::{SignedDuration, Timestamp};

use super::{Finding, State};
use crate::{
    config::{Config, Loaded},
    private,
};

const MIB: u64 = 1 << 20;
/// Less room than this is wrong.
const FREE_MIN_MIB: u64 = 100;
/// Less room than this is worth a note.
const FREE_LOW_MIB: u64 = 1_024;
/// Before this program was written.
const EARLIEST: Timestamp = Timestamp::constant(1_735_689_600, 0);
/// How far the clocks of a machine and its disks may differ.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn look(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let mut findings = vec![data_dir(config), room(config), clock(config)];
    findings.extend(secrets(loaded));
    findings
}

fn data_dir(config: &Config) -> Finding {
    let what = "data directory";
    let directory = &config.data_dir;
    let shown = directory.display();
    let nearest = existing(directory);
    let probe = nearest.join(format!(".handel-doctor-{}", std::process::id()));
    let written = fs::File::create_new(&probe).and_then(|file| file.sync_all());
    // It is there only if it could be made.
    let _gone = fs::remove_file(&probe);
    match (written, fs::metadata(directory)) {
        (Err(error), _) => {
            let detail = format!("{} cannot be written: {error}", nearest.display());
            Finding::new(what, State::Wrong, detail)
        }
        (Ok(()), Err(_)) => Finding::new(
            what,
            State::Note,
            format!("{shown} is not there yet; the first start makes it"),
        ),
        (Ok(()), Ok(there)) if mode(&there) & 0o002 != 0 => {
            let detail =
                format!("every user of this machine may change {shown}; run chmod o-w on it");
            Finding::new(what, State::Wrong, detail)
        }
        (Ok(()), Ok(there)) if mode(&there) & 0o007 != 0 => {
            let detail = format!("{shown} can be written, but everybody may look into it");
            Finding::new(what, State::Note, detail)
        }
        (Ok(()), Ok(_)) => Finding::new(what, State::Good, format!("{shown} can be written")),
    }
}

/// How much room the disk has.
fn room(config: &Config) -> Finding {
    let what = "disk";
    match rustix::fs::statvfs(existing(&config.data_dir)) {
        Ok(disk) => {
            let free_mib = disk.f_bavail.saturating_mul(disk.f_frsize) / MIB;
            let state = match free_mib {
                ..FREE_MIN_MIB => State::Wrong,
                FREE_MIN_MIB..FREE_LOW_MIB => State::Note,
                _ => State::Good,
            };
            Finding::new(what, state, format!("{free_mib} MiB are free"))
        }
        Err(error) => Finding::new(what, State::Wrong, format!("its room is unknown: {error}")),
    }
}

/// A clock that is behind what was written before makes new ids sort before old ones.
fn clock(config: &Config) -> Finding {
    let what = "clock";
    let now = System::real().now();
    if now < EARLIEST {
        return Finding::new(what, State::Wrong, format!("{now} is in the past"));
    }
    let files = fs::read_dir(&config.data_dir).into_iter().flatten().flatten();
    let times = files.filter_map(|file| file.metadata().ok()?.modified().ok());
    match times.filter_map(|time| Timestamp::try_from(time).ok()).max() {
        Some(latest) if latest > now + CLOCK_SLACK => {
            let detail = format!("{now} is before {latest}, when data was last written");
            Finding::new(what, State::Wrong, detail)
        }
        _ => Finding::new(what, State::Good, now.to_string()),
    }
}

/// Who may read the files that hold secrets, names and addresses.
fn secrets(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let mut files = private::files(config);
    let url = config.database.url.as_ref().and_then(|url| reqwest::Url::parse(url.expose()).ok());
    if url.is_some_and(|url| url.password().is_some()) {
        files.extend(loaded.file_of("database.url"));
    }
    if config.payments.test.webhook_secret.is_some() {
        files.extend(loaded.file_of("payments.test.webhook_secret"));
    }
    files.retain(|file| file.exists());
    files.sort();
    files.dedup();
    let exposed: Vec<Finding> = files.iter().filter_map(|file| exposed(file)).collect();
    match (exposed.is_empty(), files.is_empty()) {
        (false, _) => exposed,
        (true, false) => {
            let detail = "only you can read the files of the shop";
            vec![Finding::new("secrets", State::Good, detail)]
        }
        (true, true) => Vec::new(),
    }
}

fn exposed(file: &Path) -> Option<Finding> {
    let mode = private::exposed(file)?;
    let shown = file.display();
    let detail = format!("others can read {shown} (mode {mode:03o}); run chmod go= on it");
    Some(Finding::new("secrets", State::Wrong, detail))
}

fn mode(there: &Metadata) -> u32 {
    there.permissions().mode() & 0o777
}

/// The directory itself, or the nearest one above it that exists.
fn existing(directory: &Path) -> PathBuf {
    let found = directory.ancestors().find(|path| path.exists());
    match found {
        Some(path) if !path.as_os_str().is_empty() => path.to_owned(),
        _ => PathBuf::from("."),
    }
}
