//! Files that are whole, and keys that stay where they belong.

use std::{fs, path::Path, thread};

use bytes::Bytes;
use handel_local::FileBlobs;
use handel_ports::{BlobError, BlobStore as _};
use tokio::runtime;

fn store() -> (FileBlobs, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (FileBlobs::open(directory.path().join("blobs")).unwrap(), directory)
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

#[tokio::test]
async fn a_file_is_read_as_it_was_written_until_it_is_deleted() {
    let (blobs, directory) = store();
    assert_eq!(blobs.get("media/a/mug-1.svg").await.unwrap(), None);
    for content in ["old", "new"] {
        blobs.put("media/a/mug-1.svg", content.into()).await.unwrap();
        let blob = blobs.get("media/a/mug-1.svg").await.unwrap().unwrap();
        assert_eq!((blob.bytes, blob.content_type.as_str()), (content.into(), "image/svg+xml"));
    }
    assert_eq!(files(directory.path()), ["mug-1.svg"], "nothing temporary stays");
    for _ in 0..2 {
        blobs.delete("media/a/mug-1.svg").await.unwrap();
        assert_eq!(blobs.get("media/a/mug-1.svg").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_key_that_is_malformed_or_leaves_the_directory_is_refused() {
    let (blobs, directory) = store();
    fs::write(directory.path().join("secret"), "x").unwrap();
    let long = ["a".repeat(201), vec!["a".repeat(100); 6].join("/")];
    let malformed = [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "../secret",
        "a/../../secret",
        "a/./b",
        "a/..",
        ".hidden",
        "a/.hidden",
        "A",
        "a b",
        "a\\b",
        "a\0",
        "ä",
        "a:b",
        "a%2f",
        "~",
    ];
    for key in malformed.into_iter().chain(long.iter().map(String::as_str)) {
        assert!(matches!(blobs.put(key, Bytes::new()).await, Err(BlobError::Key)), "{key:?}");
        assert!(matches!(blobs.get(key).await, Err(BlobError::Key)), "{key:?}");
        assert!(matches!(blobs.delete(key).await, Err(BlobError::Key)), "{key:?}");
    }
    assert_eq!(files(directory.path()), ["secret"]);
    blobs.put("a-1_b.c/d..e", Bytes::new()).await.unwrap();
}

#[tokio::test]
async fn the_extension_decides_the_media_type() {
    let (blobs, _directory) = store();
    for (key, content_type) in [
        ("a.png", "image/png"),
        ("a.jpg", "image/jpeg"),
        ("a.jpeg", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.gif", "image/gif"),
        ("a.pdf", "application/pdf"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.csv", "text/csv; charset=utf-8"),
        ("a.svg.html", "application/octet-stream"),
        ("svg", "application/octet-stream"),
    ] {
        blobs.put(key, "x".into()).await.unwrap();
        assert_eq!(blobs.get(key).await.unwrap().unwrap().content_type, content_type, "{key}");
    }
}

#[tokio::test]
async fn a_directory_is_no_file_and_a_file_no_directory() {
    let (blobs, _directory) = store();
    blobs.put("a/b", "x".into()).await.unwrap();
    assert_eq!(blobs.get("a").await.unwrap(), None);
    assert_eq!(blobs.get("a/b/c").await.unwrap(), None);
    blobs.delete("a/b/c").await.unwrap();
    assert!(matches!(blobs.put("a", "y".into()).await, Err(BlobError::Storage(_))));
    assert!(matches!(blobs.put("a/b/c", "y".into()).await, Err(BlobError::Storage(_))));
    assert_eq!(blobs.get("a/b").await.unwrap().unwrap().bytes, "x");
}

#[tokio::test]
async fn a_write_that_fails_leaves_nothing_behind() {
    let (blobs, directory) = store();
    // The target is a directory, so the last step of the write fails.
    blobs.put("a/b", "x".into()).await.unwrap();
    blobs.put("a", "y".into()).await.unwrap_err();
    assert_eq!(files(directory.path()), ["b"]);
}

#[test]
fn a_reader_sees_the_old_or_the_new_file_and_never_a_part() {
    const LEN: usize = 1 << 20;
    let (blobs, _directory) = store();
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let versions = [Bytes::from(vec![b'a'; LEN]), Bytes::from(vec![b'b'; LEN])];
    runtime.block_on(blobs.put("file", versions[0].clone())).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for version in versions.iter().cycle().take(60) {
                runtime.block_on(blobs.put("file", version.clone())).unwrap();
            }
        });
        while !writer.is_finished() {
            let blob = runtime.block_on(blobs.get("file")).unwrap().expect("it is always there");
            assert!(versions.contains(&blob.bytes), "{} bytes of both", blob.bytes.len());
        }
    });
}
