//! Paths into a config, as people read them.

/// `ops.x.config` and the JSON pointer `/rules/0/name` make `ops.x.config.rules[0].name`.
pub(super) fn below(base: &str, pointer: &str) -> String {
    let mut path = base.to_owned();
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if segment.parse::<usize>().is_ok() {
            path.push_str(&format!("[{segment}]"));
        } else {
            path.push('.');
            path.push_str(&segment);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn pointers_become_dotted_paths() {
        assert_eq!(below("ops.x.config", ""), "ops.x.config");
        assert_eq!(
            below("ops.x.config", "/rules/0/name"),
            "ops.x.config.rules[0].name"
        );
    }
}
