//! URLs that may carry a password.

use std::fmt;
use std::path::Path;

/// Prints with its password masked; [`expose`](Self::expose) gives the whole.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionUrl(String);

impl ConnectionUrl {
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The `file:` URL of an absolute folder.
    #[must_use]
    pub(crate) fn of_folder(folder: &Path) -> Self {
        let path = folder.to_string_lossy();
        let mut escaped = String::from("file://");
        for c in path.chars() {
            match c {
                '%' => escaped.push_str("%25"),
                '?' => escaped.push_str("%3F"),
                '#' => escaped.push_str("%23"),
                c => escaped.push(c),
            }
        }
        Self(escaped)
    }

    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn masked(&self) -> String {
        if self.0.starts_with("postgres") {
            return kycc_store::redacted(&self.0);
        }
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return self.0.clone();
        };
        let end = rest.find('/').unwrap_or(rest.len());
        match rest[..end].rfind('@') {
            Some(at) => {
                let user = rest[..at].split(':').next().unwrap_or_default();
                let mask = if rest[..at].contains(':') { ":***" } else { "" };
                format!("{scheme}://{user}{mask}{}", &rest[at..])
            }
            None => self.0.clone(),
        }
    }
}

impl fmt::Display for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.masked())
    }
}

impl serde::Serialize for ConnectionUrl {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_is_masked() {
        let shown = |url: &str| ConnectionUrl::new(url).to_string();
        assert_eq!(shown("memory:"), "memory:");
        assert_eq!(shown("redis://h:6379/0"), "redis://h:6379/0");
        assert_eq!(shown("redis://:pw@h"), "redis://:***@h");
        assert_eq!(shown("postgres://u@h/db"), "postgres://u@h/db");
        assert_eq!(shown("postgres://u:p%40w@h/db"), "postgres://u:***@h/db");
    }

    #[test]
    fn a_folder_with_odd_characters_stays_one_path() {
        let url = ConnectionUrl::of_folder(Path::new("/a b/100%#?"));
        assert_eq!(url.expose(), "file:///a b/100%25%23%3F");
    }
}
