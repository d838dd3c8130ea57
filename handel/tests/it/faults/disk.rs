//! Disks that are full or cannot be written.

use std::{
    fs::{self, File, Permissions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::Method;

use super::shopper::{Memory, Outcome, is_unavailable, new_cart, orders, staff_key};
use crate::support::{Place, answer, eventually, sample};

/// A file system in memory, and the file that fills it.
struct Disk {
    at: PathBuf,
}

impl Disk {
    /// Only root can mount one; who is not skips the test.
    fn mount(place: &Place, mebibytes: u32) -> Option<Self> {
        let at = place.path("handel-data");
        fs::create_dir(&at).expect("a directory");
        let size = format!("size={mebibytes}m");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self { at });
        }
        eprintln!("skipped: only root can mount a small disk");
        None
    }

    /// Leaves so much room.
    fn fill(&self, left: u64) {
        let disk = rustix::fs::statvfs(&self.at).expect("a disk");
        let size = disk.f_bavail * disk.f_frsize - left;
        let mut filler = File::create(self.at.join("filler")).expect("there is room");
        let chunk = vec![1; 1 << 16];
        let mut written = 0;
        while written < size {
            let part = usize::try_from((size - written).min(1 << 16)).expect("it is small");
            filler.write_all(&chunk[..part]).expect("there is room");
            written += part as u64;
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.at.join("filler")).expect("it was filled");
    }

    fn make_read_only(&self) {
        let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.at).output();
        assert!(remounted.is_ok_and(|remounted| remounted.status.success()));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _best_effort = Command::new("umount").arg("--lazy").arg(&self.at).output();
    }
}

/// Goal: a shop whose disk is full refuses what it cannot keep, loses nothing that it has told of, goes on reading,
/// and sells again when there is room.
#[tokio::test]
async fn a_full_disk_refuses_writes_and_nothing_else() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place, 48) else { return };
    place.succeed(&["import", "products", &sample()]);
    let key = staff_key(&place);
    let (memory, served) = (Memory::default(), place.serve());
    let first = new_cart(&served).await.expect("there is room");
    assert!(matches!(memory.try_to_buy(&served, &first, "first").await, Outcome::Paid));
    assert_eq!(served.get("/health/ready").await["status"], "ok");

    disk.fill(600 << 10);
    let mut refused = None;
    for _ in 0..500 {
        let Some(cart) = new_cart(&served).await else { break };
        if !matches!(memory.try_to_buy(&served, &cart, "first").await, Outcome::Paid) {
            refused = Some(cart);
            break;
        }
    }
    // What is small may still fit.
    let add = || served.request(Method::POST, "/api/v1/cart/items");
    for _ in 0..500 {
        let (status, _) = answer(add().json(&serde_json::json!({ "sku": "MAP-1" }))).await;
        if status != 201 {
            break;
        }
    }
    is_unavailable(add().json(&serde_json::json!({ "sku": "MAP-1" })), "storage.unavailable").await;
    is_unavailable(served.request(Method::GET, "/health/ready"), "storage.unavailable").await;
    assert_eq!(served.get("/health/live").await["status"], "ok");
    served.get("/api/v1/products/field-mug").await;
    let cart = served.request(Method::GET, "/api/v1/cart").header("Cart-Token", &first);
    assert_eq!(answer(cart).await.0, 200);
    // The one that was refused may have been placed before there was no room to say so.
    let placed = orders(&served, &key).await.len();
    let untold = placed
        .checked_sub(memory.told())
        .expect("what was told of is there, and staff can read it");
    assert!(untold <= usize::from(refused.is_some()), "{untold} orders that nobody asked for");

    disk.make_room();
    eventually("the shop is ready again", async || {
        answer(served.request(Method::GET, "/health/ready")).await.0 == 200
    })
    .await;
    if let Some(cart) = refused {
        memory.remember(cart);
        memory.finish(&served).await;
    }
    let last = new_cart(&served).await.expect("there is room again");
    assert!(matches!(memory.try_to_buy(&served, &last, "first").await, Outcome::Paid));
    served.stop().await;
    let served = place.serve();
    memory.check(&place, &served, &key).await;
    served.stop().await;
}

/// Goal: a restart does not close a shop whose disk is full: it can be read, and sells when there is room.
#[tokio::test]
async fn a_shop_starts_on_a_full_disk_and_can_be_read() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place, 48) else { return };
    place.succeed(&["import", "products", &sample()]);
    let served = place.serve();
    let cart = new_cart(&served).await.expect("there is room");
    served.stop().await;
    disk.fill(0);
    for _ in 0..3 {
        let served = place.serve();
        served.get("/api/v1/products/field-mug").await;
        let read = served.request(Method::GET, "/api/v1/cart").header("Cart-Token", &cart);
        assert_eq!(answer(read).await.0, 200);
        is_unavailable(served.request(Method::GET, "/health/ready"), "storage.unavailable").await;
        // What buyers do takes the room that was kept, too.
        for _ in 0..200 {
            let add = served.request(Method::POST, "/api/v1/cart/items");
            if answer(add.json(&serde_json::json!({ "sku": "MAP-1" }))).await.0 != 201 {
                break;
            }
        }
        served.stop().await;
    }
    disk.make_room();
    let (memory, served) = (Memory::default(), place.serve());
    assert!(matches!(memory.try_to_buy(&served, &cart, "first").await, Outcome::Paid));
    served.stop().await;
}

/// Goal: a directory that cannot be written is told before anything is sold.
#[tokio::test]
async fn a_directory_that_cannot_be_written_is_told_at_the_start() {
    let place = Place::new();
    if rustix::process::geteuid().is_root() {
        let Some(disk) = Disk::mount(&place, 48) else { return };
        place.serve().stop().await;
        disk.make_read_only();
        is_told(&place);
    } else {
        place.serve().stop().await;
        let mode = |mode| protect(&place.path("handel-data"), mode);
        mode(0o500);
        is_told(&place);
        mode(0o700);
    }
}

fn is_told(place: &Place) {
    let complaint = place.fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(complaint.contains("cannot be written"), "{complaint}");
    let said = place.run(&["doctor", "--listen", "127.0.0.1:0"]);
    assert_eq!(said.code, Some(1));
    let line = said.output.lines().find(|line| line.starts_with("data directory"));
    assert!(line.is_some_and(|line| line.contains("WRONG")), "{}", said.output);
}

fn protect(directory: &Path, mode: u32) {
    let files = fs::read_dir(directory).expect("a directory").flatten().map(|file| file.path());
    for path in files.chain([directory.to_owned()]) {
        let mode = if path.is_dir() { mode } else { mode & 0o600 };
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("our own file");
    }
}
