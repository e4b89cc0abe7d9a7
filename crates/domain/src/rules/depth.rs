//! Keeping the stack whole: CEL's parser and interpreter recurse, and a condition is text from a stranger.
//!
//! Measured in an unoptimised build: parsing takes some 200 kB of stack for each level of parentheses, evaluating some
//! 60 kB for each operator of a chain. Worker threads have 2 MB.

use std::io;

/// Levels that a condition may cost: brackets inside one another, `?:`, and operators that chain into deep trees.
const MAX_LEVELS: usize = 16;

const PARSER_STACK_BYTES: usize = 16 << 20;

/// Judged on the text, before anything recurses over it; errs towards refusing.
pub(super) fn nests_too_deep(source: &str) -> bool {
    let (mut open, mut deepest, mut chained) = (0usize, 0usize, 0usize);
    let bytes = source.as_bytes();
    let mut previous = b'(';
    for (index, byte) in bytes.iter().copied().enumerate() {
        let next = bytes.get(index + 1).copied().unwrap_or(b' ');
        match byte {
            b'(' | b'[' | b'{' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b'-' if next.is_ascii_digit() && b"(<>=&|,[!?:".contains(&previous) => {}
            b'!' if next == b'=' => {}
            b'.' if next.is_ascii_digit() => {}
            b'!' | b'?' | b'.' | b'+' | b'-' | b'*' | b'/' | b'%' => chained += 1,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            previous = byte;
        }
    }
    deepest + chained > MAX_LEVELS
}

/// Runs the work on a thread whose stack holds whatever `nests_too_deep` lets through.
pub(super) fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("rule-compiler".to_owned())
            .stack_size(PARSER_STACK_BYTES)
            .spawn_scoped(scope, work)?;
        match thread.join() {
            Ok(result) => Ok(result),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_fractions_of_numbers_cost_nothing() {
        let plain = vec!["score != -1.5"; 50].join(" || ");
        assert!(!nests_too_deep(&plain));
        assert!(!nests_too_deep(&vec!["(score>-1)"; 50].join(" && ")));
    }

    #[test]
    fn chains_and_brackets_share_one_allowance() {
        assert!(!nests_too_deep(&"(".repeat(16)));
        assert!(nests_too_deep(&"(".repeat(17)));
        assert!(!nests_too_deep(&"a - ".repeat(16)));
        assert!(nests_too_deep(&"a - ".repeat(17)));
        assert!(nests_too_deep(&format!(
            "{}{}",
            "a.b".repeat(9),
            "[".repeat(9)
        )));
    }

    #[test]
    fn a_panic_on_the_deep_stack_reaches_the_caller() {
        let caught = std::panic::catch_unwind(|| on_a_deep_stack(|| panic!("inside")));
        assert!(caught.is_err());
        assert_eq!(on_a_deep_stack(|| 7).unwrap(), 7);
    }
}
