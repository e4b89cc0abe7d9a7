//! Pages of `List*` calls. A token is a cursor in hex behind a seal: opaque, and refused when it is not ours.
//!
//! The seal is HMAC-SHA-256, cut to 16 bytes, under a key of the whole fleet, so that any process goes on where another
//! began. The key is drawn at random until [`PageKey::adopt`] sets it; a process that holds several fleets knows the keys
//! of all of them.

use std::sync::{PoisonError, RwLock};

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use crate::ApiError;

/// The page size to use for what was asked: 0 means `default`, more than `max` means `max`.
pub fn page_size(requested: i32, default: usize, max: usize) -> Result<usize, ApiError> {
    match usize::try_from(requested) {
        Ok(0) => Ok(default),
        Ok(size) => Ok(size.min(max)),
        Err(_) => Err(ApiError::invalid("page_size", "must not be negative")),
    }
}

/// What tokens are sealed with.
#[derive(Clone, PartialEq, Eq)]
pub struct PageKey([u8; KEY_BYTES]);

const KEY_BYTES: usize = 32;
const SEAL_BYTES: usize = 16;
/// Keys that a process knows; one for each of its fleets.
const MOST_KEYS: usize = 64;

/// The last one seals, all are taken.
static KEYS: RwLock<Vec<(PageKey, hmac::Key)>> = RwLock::new(Vec::new());

impl PageKey {
    /// A new one, at random.
    ///
    /// # Panics
    /// Where the system gives no random bytes, which is no place to go on.
    #[must_use]
    pub fn draw() -> Self {
        let mut bytes = [0; KEY_BYTES];
        let filled = SystemRandom::new().fill(&mut bytes);
        filled.expect("the system gives random bytes");
        Self(bytes)
    }

    /// One that was drawn before; `None` for bytes that are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Seals the tokens of this process from now on. Those that were given out before are still taken.
    pub fn adopt(self) {
        let mut keys = KEYS.write().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|(known, _)| *known != self);
        if keys.len() == MOST_KEYS {
            keys.remove(0);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        keys.push((self, key));
    }
}

impl std::fmt::Debug for PageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageKey(***)")
    }
}

/// Calls `use_keys` with at least one.
fn with_keys<T>(use_keys: impl FnOnce(&[(PageKey, hmac::Key)]) -> T) -> T {
    loop {
        let keys = KEYS.read().unwrap_or_else(PoisonError::into_inner);
        if !keys.is_empty() {
            return use_keys(&keys);
        }
        drop(keys);
        PageKey::draw().adopt();
    }
}

fn seal(key: &hmac::Key, cursor: &[u8]) -> [u8; SEAL_BYTES] {
    let mut context = hmac::Context::with_key(key);
    context.update(b"kycc-page-v1\n");
    context.update(cursor);
    let mut seal = [0; SEAL_BYTES];
    seal.copy_from_slice(&context.sign().as_ref()[..SEAL_BYTES]);
    seal
}

/// The token that makes the next call go on after `cursor`.
#[must_use]
pub fn page_token(cursor: &str) -> String {
    use std::fmt::Write as _;
    let seal = with_keys(|keys| {
        let (_, newest) = &keys[keys.len() - 1];
        seal(newest, cursor.as_bytes())
    });
    let mut token = String::with_capacity(2 * (SEAL_BYTES + cursor.len()));
    for byte in seal.into_iter().chain(cursor.bytes()) {
        write!(token, "{byte:02x}").expect("writing to a string does not fail");
    }
    token
}

/// The token that makes the next call go on after the row of that time (microseconds) and id, for lists in that order.
#[must_use]
pub fn position_token(at_micros: i64, id: &str) -> String {
    page_token(&format!("{at_micros} {id}"))
}

/// Time and id of a token of [`position_token`]; `None` for the first page.
pub fn read_position_token(token: &str) -> Result<Option<(i64, String)>, ApiError> {
    let position = |cursor: String| {
        let parsed = cursor
            .split_once(' ')
            .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
        parsed.ok_or_else(|| ApiError::invalid("page_token", "is not a token of this list"))
    };
    read_page_token(token)?.map(position).transpose()
}

/// The cursor of a token; `None` for the first page.
pub fn read_page_token(token: &str) -> Result<Option<String>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    let refused = || {
        ApiError::invalid(
            "page_token",
            "is not one that this fleet gave out; leave it empty to begin",
        )
    };
    let bytes = hex(token).ok_or_else(refused)?;
    let (sealed, cursor) = bytes.split_at_checked(SEAL_BYTES).ok_or_else(refused)?;
    let ours = with_keys(|keys| {
        let mut seals = keys.iter().map(|(_, key)| seal(key, cursor));
        seals.any(|seal| bool::from(seal.ct_eq(sealed)))
    });
    if !ours {
        return Err(refused());
    }
    let cursor = String::from_utf8(cursor.to_vec()).map_err(|_| refused())?;
    Ok(Some(cursor))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_cursor() {
        for cursor in ["", "a", "018f-ä/…", "x\0y"] {
            let token = page_token(cursor);
            assert_eq!(read_page_token(&token).unwrap().as_deref(), Some(cursor));
        }
        assert_eq!(read_page_token("").unwrap(), None);
    }

    #[test]
    fn a_token_that_was_not_given_out_is_refused_by_its_field() {
        let mut altered = page_token("cursor");
        let at = altered.len() - 1;
        altered.replace_range(at.., "f");
        let short = "00".repeat(SEAL_BYTES - 1);
        let zeros = "00".repeat(SEAL_BYTES);
        for token in ["x", "zz", "00", &short, &zeros, "ä", &altered] {
            let error = read_page_token(token).unwrap_err();
            assert!(error.to_string().starts_with("page_token: "), "{token}");
        }
    }

    #[test]
    fn a_token_of_a_position_leads_back_to_time_and_id() {
        for (at, id) in [(7, "1.0-a"), (-1, "with a blank"), (i64::MAX, "")] {
            let read = read_position_token(&position_token(at, id)).unwrap();
            assert_eq!(read, Some((at, id.to_owned())));
        }
        assert_eq!(read_position_token("").unwrap(), None);
        for cursor in ["", "7", "x 7"] {
            let error = read_position_token(&page_token(cursor)).unwrap_err();
            assert!(error.to_string().starts_with("page_token: "), "{cursor}");
        }
    }

    #[test]
    fn tokens_under_another_key_are_refused_and_those_before_a_new_key_are_not() {
        let before = page_token("7");
        let key = PageKey::draw();
        let foreign = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let sealed = seal(&foreign, b"7");
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
        let token = hex(&[&sealed[..], b"7"].concat());
        read_page_token(&token).unwrap_err();
        assert_eq!(PageKey::from_bytes(key.as_bytes()), Some(key.clone()));
        key.adopt();
        for token in [before, token, page_token("7")] {
            assert_eq!(read_page_token(&token).unwrap().as_deref(), Some("7"));
        }
        assert!(PageKey::from_bytes(&[1, 2, 3]).is_none());
    }

    #[test]
    fn page_sizes_are_bounded() {
        assert_eq!(page_size(0, 50, 1000).unwrap(), 50);
        assert_eq!(page_size(7, 50, 1000).unwrap(), 7);
        assert_eq!(page_size(i32::MAX, 50, 1000).unwrap(), 1000);
        page_size(-1, 50, 1000).unwrap_err();
    }
}
