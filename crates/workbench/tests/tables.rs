//! Reading is exact and never panics, and the answers do not depend on how many threads compute them.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

use std::path::Path;

use kycc_workbench::{BinningOptions, FitWish, Inputs, Roles, Table, fit};
use proptest::prelude::*;

fn finite() -> impl Strategy<Value = Option<f64>> {
    prop::option::weighted(0.9, prop::num::f64::NORMAL | prop::num::f64::ZERO)
}

proptest! {
    #[test]
    fn numbers_are_read_back_bit_for_bit(
        rows in prop::collection::vec((finite(), finite()), 1..40),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        windows in any::<bool>(),
    ) {
        let end = if windows { "\r\n" } else { "\n" };
        let cell = |v: &Option<f64>| v.map_or_else(|| "NA".into(), |v| v.to_string());
        let mut text = format!("a{delimiter}\"b\"{end}");
        for (a, b) in &rows {
            text.push_str(&format!("{}{delimiter}\"{}\"{end}", cell(a), cell(b)));
        }
        let table = Table::from_csv(text.as_bytes(), "t.csv", None).unwrap();
        prop_assert_eq!(table.rows(), rows.len());
        let (a, b) = (table.numbers("a").unwrap(), table.numbers("b").unwrap());
        for (row, (x, y)) in rows.iter().enumerate() {
            for (got, wanted) in [(a[row], x), (b[row], y)] {
                prop_assert_eq!((!got.is_nan()).then(|| got.to_bits()), wanted.map(f64::to_bits));
            }
        }
    }

    #[test]
    fn any_bytes_are_a_table_or_a_refusal(bytes in prop::collection::vec(
        prop_oneof![Just(b','), Just(b'\n'), Just(b'\r'), Just(b'"'), Just(b'1'), any::<u8>()], 0..200,
    )) {
        match Table::from_csv(&bytes, "t.csv", None) {
            Ok(table) => prop_assert!(table.rows() > 0),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

/// What `Table::read` makes of bytes that come through a pipe in two parts.
#[cfg(target_os = "linux")]
fn piped(
    first: &'static [u8],
    second: &'static [u8],
) -> Result<Table, kycc_workbench::WorkbenchError> {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    let (reader, mut writer) = std::io::pipe().unwrap();
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            writer.write_all(first).unwrap();
            std::thread::yield_now();
            // Nobody reads on where the first part is refused.
            let _ = writer.write_all(second);
        });
        let table = Table::read(Path::new(&path), None);
        drop(reader);
        table
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_loses_no_byte_and_parquet_does_not_go_through_one() {
    let table = piped(b"i", b"d,x\n7,1\n8,2\n").unwrap();
    assert_eq!(table.numbers("id").unwrap(), [7.0, 8.0]);
    assert_eq!(table.numbers("x").unwrap(), [1.0, 2.0]);
    assert_eq!(piped(b"", b"").unwrap_err().reason(), "NO_ROWS");
    assert_eq!(
        piped(b"\x1f", b"\x8b\x08\x00").unwrap_err().reason(),
        "FILE_ENCODING"
    );
    let error = piped(b"PAR1", b" and more").unwrap_err();
    assert_eq!(error.reason(), "FILE_UNREADABLE");
    assert!(
        error.to_string().contains("name the file itself"),
        "{error}"
    );
}

#[test]
fn one_thread_and_three_give_the_same_bits() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/credit.csv");
    let table = Table::read(&path, None).unwrap();
    let roles = Roles {
        target: "bad".into(),
        features: Vec::new(),
        id: Some("id".into()),
        weight: Some("weight".into()),
        holdout: Some("i%5==4".parse().unwrap()),
    };
    let wish = FitWish {
        inputs: Inputs::Woe(BinningOptions::default()),
        ..FitWish::default()
    };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let report = pool
            .build()
            .unwrap()
            .install(|| fit(&table, &roles, &wish).unwrap().report);
        serde_json::to_string(&report).unwrap()
    };
    assert_eq!(on(1), on(3));
}
