//! What only some stores have: folders of this machine, and refusals at the door.

use super::*;
use crate::datasets::SCORES;
use crate::testing::{id, scores};
use std::path::PathBuf;

#[tokio::test]
async fn no_key_leaves_the_lakes_folder() {
    let place = Place::file();
    let lake = place.lake();
    write_whole(&lake, &id(&SCORES, "../ключ/../../x"), &scores(0..10)).await;
    let beside: Vec<_> = std::fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(beside, ["lake"]);
}

/// On a machine's own disk whatever is spilled lies beside the data, and nowhere in an object store.
#[test]
fn queries_spill_to_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let url = url::Url::from_directory_path(folder.path()).unwrap();
    let lake = Lake::open(url.as_str()).unwrap();
    assert_eq!(*lake.spill, *folder.path().join(".spill"));
    for remote in ["memory:", "s3://bucket/lake"] {
        let lake = Lake::open_with(remote, []).unwrap();
        assert_eq!(*lake.spill, *std::env::temp_dir());
        let lake = lake.with_spill_folder(PathBuf::from("/spill"));
        assert_eq!(*lake.spill, *PathBuf::from("/spill"));
    }
}

#[test]
fn a_lake_that_cannot_be_opened_says_why() {
    let refused = |url: &str| Lake::open(url).unwrap_err().to_string();
    assert!(
        refused("lake").contains("file:///folder"),
        "{}",
        refused("lake")
    );
    assert!(refused("file:///dev/null/lake").contains("cannot be made"));
    assert!(refused("ftp://host/x").contains("ftp"));
    let secret = refused("s3://key:secret@bucket/lake");
    assert!(secret.contains("do not belong"), "{secret}");
    assert!(!secret.contains("secret@"), "{secret}");
}
