//! Equal specs give equal bytes, here and elsewhere.

use kycc_synthetic::{Format, Spec};

use crate::{TABLES, bytes_of, generate};

#[test]
fn the_same_spec_gives_the_same_bytes() {
    for format in [Format::Document, Format::Ndjson, Format::Csv] {
        let spec = Spec {
            format,
            ..Spec::new("BATCH_007", 200, 7)
        };
        assert_eq!(bytes_of(&spec), bytes_of(&spec));
    }
}

/// A change here changes every batch that anybody generated before: benches and golden runs no longer compare.
#[test]
fn a_known_spec_gives_the_bytes_it_gave_on_other_machines() {
    let files = bytes_of(&Spec::new("BATCH_001", 300, 42));
    let sums: Vec<(&str, u64)> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), fnv1a(bytes)))
        .collect();
    assert_eq!(
        sums,
        [
            ("BATCH_001_labels.json", 8_896_931_435_482_445_017),
            ("BATCH_001_profiles.json", 4_936_647_237_218_688_245)
        ]
    );
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn another_seed_gives_another_batch_in_every_table() {
    let first = generate(Spec::new("B", 100, 1));
    let second = generate(Spec::new("B", 100, 2));
    for table in TABLES {
        assert_ne!(first.document[table], second.document[table], "{table}");
    }
    assert_ne!(first.labels, second.labels);
}
