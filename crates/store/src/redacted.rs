//! URLs of the store as people may see them.

use url::Url;

/// The URL without its password, wherever it stands in it.
#[must_use]
pub fn redacted(url: &str) -> String {
    if !crate::postgres::is_url(url) {
        return url.to_owned();
    }
    let Ok(mut parsed) = Url::parse(url) else {
        // What cannot be taken apart may hold it anywhere.
        return "postgres://***".to_owned();
    };
    if parsed.password().is_some() && parsed.set_password(Some("***")).is_err() {
        return "postgres://***".to_owned();
    }
    if parsed.query_pairs().any(|(key, _)| key == "password") {
        let kept = parsed.query_pairs().filter(|(key, _)| key != "password");
        let kept: Vec<_> = kept
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        let mut query = parsed.query_pairs_mut();
        query.clear().extend_pairs(kept);
        query.append_pair("password", "***");
    }
    parsed.into()
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn a_password_is_masked_wherever_it_stands() {
        for (url, shown) in [
            ("sqlite:///a/b.db", "sqlite:///a/b.db"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            ("postgres://u:p%40w@h:1/db", "postgres://u:***@h:1/db"),
            (
                "postgresql://u@h/db?password=pw&sslmode=require",
                "postgresql://u@h/db?sslmode=require&password=***",
            ),
            ("postgres://u:p@w:x@h:nine/db", "postgres://***"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }
}
