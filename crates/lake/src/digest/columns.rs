//! One column of a block into the hash: type, length, validity, values, in canonical form.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, ListArray, PrimitiveArray,
    StringArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter;
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    UInt32Type, UInt64Type,
};
use blake3::Hasher;

// Values are hashed straight from Arrow's buffers, which are in the machine's byte order.
#[cfg(target_endian = "big")]
compile_error!("digests are of little-endian values; hash swapped copies to support this machine");

pub(super) fn text(hasher: &mut Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

/// Type, length, validity, values. Arrays may be slices; what lies outside of them never counts.
pub(super) fn column_values(hasher: &mut Hasher, array: &ArrayRef) {
    text(hasher, tag(array.data_type()));
    hasher.update(&(array.len() as u64).to_le_bytes());
    let valid = Validity::of(array);
    match &valid.0 {
        None => hasher.update(&[0]),
        Some(bits) => hasher.update(&[1]).update(bits),
    };
    match array.data_type() {
        DataType::Int32 => fixed(hasher, array.as_primitive::<Int32Type>(), &valid),
        DataType::Int64 => fixed(hasher, array.as_primitive::<Int64Type>(), &valid),
        DataType::UInt32 => fixed(hasher, array.as_primitive::<UInt32Type>(), &valid),
        DataType::UInt64 => fixed(hasher, array.as_primitive::<UInt64Type>(), &valid),
        DataType::Timestamp(..) => {
            fixed(
                hasher,
                array.as_primitive::<TimestampMicrosecondType>(),
                &valid,
            );
        }
        DataType::Decimal128(..) => fixed(hasher, array.as_primitive::<Decimal128Type>(), &valid),
        DataType::Float64 => floats(hasher, array.as_primitive(), &valid),
        DataType::Boolean => booleans(hasher, array.as_boolean(), &valid),
        DataType::Utf8 => strings(hasher, array.as_string(), &valid),
        DataType::List(_) => lists(hasher, array.as_list(), &valid),
        other => unreachable!("no dataset has a column of {other}: a test holds that"),
    }
}

fn tag(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Int32 => "i32",
        DataType::Int64 => "i64",
        DataType::UInt32 => "u32",
        DataType::UInt64 => "u64",
        DataType::Timestamp(..) => "time_us",
        DataType::Decimal128(18, 4) => "decimal_18_4",
        DataType::Float64 => "f64",
        DataType::Boolean => "bool",
        DataType::Utf8 => "utf8",
        DataType::List(_) => "list",
        other => unreachable!("no dataset has a column of {other}: a test holds that"),
    }
}

/// One bit per row, lowest first, 0 beyond the end; `None` where every row is valid.
struct Validity(Option<Vec<u8>>);

impl Validity {
    fn of(array: &ArrayRef) -> Self {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        Self(nulls.map(|nulls| bits(nulls.inner())))
    }

    fn holds(&self, row: usize) -> bool {
        match &self.0 {
            None => true,
            Some(bits) => bits[row / 8] >> (row % 8) & 1 == 1,
        }
    }
}

fn bits(flags: &BooleanBuffer) -> Vec<u8> {
    let mut bytes = flags.sliced().as_slice()[..flags.len().div_ceil(8)].to_vec();
    let used = flags.len() % 8;
    if used > 0
        && let Some(last) = bytes.last_mut()
    {
        *last &= (1 << used) - 1;
    }
    bytes
}

fn fixed<T: ArrowPrimitiveType>(hasher: &mut Hasher, array: &PrimitiveArray<T>, valid: &Validity) {
    let bytes = array.values().inner().as_slice();
    if valid.0.is_none() {
        hasher.update(bytes);
        return;
    }
    let mut copy = bytes.to_vec();
    for (row, slot) in copy.chunks_exact_mut(size_of::<T::Native>()).enumerate() {
        if !valid.holds(row) {
            slot.fill(0);
        }
    }
    hasher.update(&copy);
}

fn floats(hasher: &mut Hasher, array: &PrimitiveArray<Float64Type>, valid: &Validity) {
    let values: &[f64] = array.values();
    let mut bytes = vec![0; values.len() * 8];
    for (row, (slot, &value)) in bytes.chunks_exact_mut(8).zip(values).enumerate() {
        // A zero of either sign and a null keep the zeros that are there.
        if value != 0.0 && valid.holds(row) {
            let canonical = if value.is_nan() { f64::NAN } else { value };
            slot.copy_from_slice(&canonical.to_le_bytes());
        }
    }
    hasher.update(&bytes);
}

fn booleans(hasher: &mut Hasher, array: &BooleanArray, valid: &Validity) {
    let mut values = bits(array.values());
    for (value, valid) in values.iter_mut().zip(valid.0.iter().flatten()) {
        *value &= valid;
    }
    hasher.update(&values);
}

fn strings(hasher: &mut Hasher, array: &StringArray, valid: &Validity) {
    let (offsets, data) = (array.value_offsets(), array.value_data());
    lengths(hasher, offsets, valid);
    if valid.0.is_none() {
        hasher.update(&data[offsets[0] as usize..offsets[array.len()] as usize]);
        return;
    }
    let mut seen = Vec::new();
    for (row, pair) in offsets.windows(2).enumerate() {
        if valid.holds(row) {
            seen.extend_from_slice(&data[pair[0] as usize..pair[1] as usize]);
        }
    }
    hasher.update(&seen);
}

fn lists(hasher: &mut Hasher, array: &ListArray, valid: &Validity) {
    let offsets = array.value_offsets();
    lengths(hasher, offsets, valid);
    let (first, last) = (offsets[0] as usize, offsets[array.len()] as usize);
    let mut items = array.values().slice(first, last - first);
    if valid.0.is_some() {
        // A null list may hold items that nobody can see.
        let rows = offsets.windows(2).enumerate();
        let seen: BooleanArray = rows
            .flat_map(|(row, pair)| (pair[0]..pair[1]).map(move |_| Some(valid.holds(row))))
            .collect();
        items = filter(&items, &seen).expect("the mask has one flag for every item");
    }
    column_values(hasher, &items);
}

fn lengths(hasher: &mut Hasher, offsets: &[i32], valid: &Validity) {
    let mut bytes = vec![0; (offsets.len() - 1) * 4];
    for (row, (slot, pair)) in bytes
        .chunks_exact_mut(4)
        .zip(offsets.windows(2))
        .enumerate()
    {
        if valid.holds(row) {
            slot.copy_from_slice(&(pair[1] - pair[0]).to_le_bytes());
        }
    }
    hasher.update(&bytes);
}
