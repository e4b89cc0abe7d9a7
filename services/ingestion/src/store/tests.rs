//! What the store promises of uploads, on both databases.

use super::*;

kycc_testkit::on_every_store!(
    "ingestion",
    &MIGRATIONS,
    [
        one_upload_of_a_batch_is_open_at_a_time_and_a_request_makes_one,
        of_two_parts_at_one_offset_one_stands_and_the_same_part_stands_once,
        a_sealed_upload_takes_nothing,
        a_change_wants_the_state_and_the_version_that_it_names,
        eight_who_send_one_stream_leave_it_whole,
    ]
);

const BOUNDS: Bounds = Bounds {
    open_uploads: 10,
    streams: 10,
    parts: 100,
    bytes: 10_000,
};

fn new(id: &str, batch: &str, request_id: &str) -> NewUpload {
    NewUpload {
        upload_id: UploadId::new(id).unwrap(),
        batch_id: BatchId::new(batch).unwrap(),
        as_of_micros: None,
        display_name: "one".to_owned(),
        labels: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        created_by: "ann".to_owned(),
        request_id: request_id.to_owned(),
    }
}

fn part(first_offset: i64, records: i64, file: &str) -> Part {
    Part {
        stream_id: StreamId::new("s").unwrap(),
        first_offset,
        table: Table::Parties,
        records,
        bad_records: 1,
        bytes: 10 * records,
        file: file.to_owned(),
    }
}

async fn opened<S: UploadStore>(store: &S) -> UploadId {
    let id = new("a", "B1", "").upload_id;
    let created = store.create(&new("a", "B1", ""), BOUNDS, 5).await.unwrap();
    assert!(matches!(created, Created::New(_)));
    let stream = StreamId::new("s").unwrap();
    let at = store.open_stream(&id, &stream, BOUNDS).await.unwrap();
    assert_eq!(at, Opened::At(0));
    id
}

async fn one_upload_of_a_batch_is_open_at_a_time_and_a_request_makes_one<S: UploadStore>(store: S) {
    let Created::New(made) = store.create(&new("a", "B1", "r"), BOUNDS, 5).await.unwrap() else {
        panic!("it is the first");
    };
    assert_eq!(
        store.get(&made.upload_id).await.unwrap(),
        Some(made.clone())
    );
    let again = store.create(&new("b", "B1", "r"), BOUNDS, 6).await.unwrap();
    assert_eq!(again, Created::Before(made));
    let other = store.create(&new("b", "B2", "r"), BOUNDS, 6).await.unwrap();
    assert_eq!(other, Created::RequestReused("a".to_owned()));
    let second = store.create(&new("b", "B1", "q"), BOUNDS, 6).await.unwrap();
    assert_eq!(second, Created::Exists("a".to_owned()));
    let few = Bounds {
        open_uploads: 1,
        ..BOUNDS
    };
    let many = store.create(&new("b", "B2", "q"), few, 6).await.unwrap();
    assert_eq!(many, Created::TooMany);
}

async fn of_two_parts_at_one_offset_one_stands_and_the_same_part_stands_once<S: UploadStore>(
    store: S,
) {
    let id = opened(&store).await;
    let first = part(0, 3, "x");
    for _ in 0..2 {
        let taken = store.append(&id, &first, BOUNDS, 7).await.unwrap();
        assert_eq!(taken, Appended::Stands);
    }
    for other in [part(0, 4, "y"), part(2, 4, "y"), part(4, 4, "y")] {
        let taken = store.append(&id, &other, BOUNDS, 7).await.unwrap();
        assert_eq!(taken, Appended::Elsewhere);
    }
    let second = part(3, 2, "z");
    assert_eq!(
        store.append(&id, &second, BOUNDS, 8).await.unwrap(),
        Appended::Stands
    );
    let large = part(5, 1_000, "w");
    assert_eq!(
        store.append(&id, &large, BOUNDS, 8).await.unwrap(),
        Appended::TooManyBytes
    );
    let few = Bounds { parts: 2, ..BOUNDS };
    assert_eq!(
        store.append(&id, &part(5, 1, "w"), few, 8).await.unwrap(),
        Appended::TooManyParts
    );
    assert_eq!(store.parts(&id).await.unwrap(), [first, second]);
    let totals = TableTotals {
        table: Table::Parties,
        records: 5,
        bad_records: 2,
        bytes: 50,
    };
    assert_eq!(store.totals(&id).await.unwrap(), [totals]);
    let upload = store.get(&id).await.unwrap().unwrap();
    assert_eq!((upload.version, upload.updated_at_micros), (3, 8));
    let stream = StreamId::new("s").unwrap();
    assert_eq!(
        store.open_stream(&id, &stream, BOUNDS).await.unwrap(),
        Opened::At(5)
    );
    assert_eq!(store.streams(&id).await.unwrap(), [(stream, 5)]);
    let one = Bounds {
        streams: 1,
        ..BOUNDS
    };
    let other = StreamId::new("t").unwrap();
    assert_eq!(
        store.open_stream(&id, &other, one).await.unwrap(),
        Opened::TooManyStreams
    );
}

fn change<'a>(upload_id: &'a UploadId, from: &'a [UploadState], to: UploadState) -> Change<'a> {
    Change {
        upload_id,
        from,
        to,
        version: None,
        as_of_micros: None,
        run_id: None,
        now_micros: 9,
    }
}

async fn a_sealed_upload_takes_nothing<S: UploadStore>(store: S) {
    let id = opened(&store).await;
    let before = part(0, 3, "x");
    store.append(&id, &before, BOUNDS, 7).await.unwrap();
    let seal = change(&id, &[UploadState::Open], UploadState::Committing);
    assert!(store.change(seal).await.unwrap());
    let after = store
        .append(&id, &part(3, 3, "y"), BOUNDS, 8)
        .await
        .unwrap();
    assert_eq!(after, Appended::NotOpen);
    // Who asks again for what was taken before hears the truth.
    assert_eq!(
        store.append(&id, &before, BOUNDS, 8).await.unwrap(),
        Appended::Stands
    );
    let stream = StreamId::new("s").unwrap();
    assert_eq!(
        store.open_stream(&id, &stream, BOUNDS).await.unwrap(),
        Opened::NotOpen
    );
    assert_eq!(store.parts(&id).await.unwrap().len(), 1);
    let left = [UploadState::Open, UploadState::Committing];
    let found = store.untouched(&left, 10, 5).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&id));
    assert!(store.untouched(&left, 9, 5).await.unwrap().is_empty());
    assert!(
        store
            .untouched(&[UploadState::Open], 10, 5)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_change_wants_the_state_and_the_version_that_it_names<S: UploadStore>(store: S) {
    let id = opened(&store).await;
    let wrong = change(&id, &[UploadState::Committing], UploadState::Committed);
    assert!(!store.change(wrong).await.unwrap());
    let seal = change(&id, &[UploadState::Open], UploadState::Committing);
    let old = Change {
        version: Some(99),
        ..seal
    };
    assert!(!store.change(old).await.unwrap());
    let given = Change {
        version: Some(1),
        as_of_micros: Some(77),
        ..seal
    };
    assert!(store.change(given).await.unwrap());
    let commit = Change {
        run_id: Some("run"),
        ..change(&id, &[UploadState::Committing], UploadState::Committed)
    };
    assert!(store.change(commit).await.unwrap());
    let upload = store.get(&id).await.unwrap().unwrap();
    assert_eq!(upload.state, UploadState::Committed);
    assert_eq!(
        (upload.as_of_micros, upload.run_id.as_deref()),
        (Some(77), Some("run"))
    );
    let wanted = Wanted {
        batch_id: Some(BatchId::new("B1").unwrap()),
        state: Some(UploadState::Committed),
        after: None,
        limit: 5,
    };
    assert_eq!(store.list(&wanted).await.unwrap(), [upload]);
    let other = Wanted {
        state: Some(UploadState::Open),
        ..wanted
    };
    assert!(store.list(&other).await.unwrap().is_empty());
}

async fn eight_who_send_one_stream_leave_it_whole<S>(store: S)
where
    S: UploadStore + Clone + 'static,
{
    let id = opened(&store).await;
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..8 {
        let (store, id) = (store.clone(), id.clone());
        senders.spawn(async move {
            for offset in 0..10 {
                let own = part(offset, 1, &format!("{sender}-{offset}"));
                store.append(&id, &own, BOUNDS, 7).await.unwrap();
            }
        });
    }
    senders.join_all().await;
    let offsets: Vec<_> = store
        .parts(&id)
        .await
        .unwrap()
        .iter()
        .map(|part| part.first_offset)
        .collect();
    assert_eq!(offsets, (0..10).collect::<Vec<_>>());
    assert_eq!(store.streams(&id).await.unwrap()[0].1, 10);
}
