//! Opens the stores behind `s3://`, `gs://` and `az://` with settings named as their own tools name them.
//!
//! No call hangs: a connection has 3 seconds, a request 60, and retries end 15 seconds after the first try. A setting
//! (`AWS_TIMEOUT`, `AWS_CONNECT_TIMEOUT`, …) may say otherwise.

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::prefix::PrefixStore;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreScheme, Result as StoreResult,
    RetryConfig,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const CONNECT: Duration = Duration::from_secs(3);
/// Of a whole request; a data file has up to about 100 MB.
const REQUEST: Duration = Duration::from_secs(60);
const RETRIES: usize = 6;
const RETRYING: Duration = Duration::from_secs(15);

/// The store under the URL's prefix, or what is wrong with URL or settings; that text never holds a setting's value.
pub(crate) fn open(
    url: &Url,
    settings: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials do not belong in it; give them as settings".into());
    }
    let (scheme, prefix) = ObjectStoreScheme::parse(url).map_err(|e| e.to_string())?;
    let opened = match scheme {
        ObjectStoreScheme::AmazonS3 => {
            let settings = named(settings, &["aws_"]);
            check_s3(&settings)?;
            s3(url, settings)
        }
        ObjectStoreScheme::GoogleCloudStorage => gs(url, named(settings, &["google_"])),
        ObjectStoreScheme::MicrosoftAzure => {
            let families = ["azure_", "identity_", "msi_"];
            az(url, named(settings, &families))
        }
        _ => return Err("its scheme is not one of file, memory, s3, gs, az".into()),
    };
    let store = opened.map_err(|e| e.to_string())?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}

/// The settings of these families, names in lower case and in order, so that of two names for one thing the same wins
/// everywhere. What is blank counts as not set: charts and compose files pass blanks on.
fn named(
    settings: impl IntoIterator<Item = (String, String)>,
    families: &[&str],
) -> BTreeMap<String, String> {
    settings
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, value)| {
            families.iter().any(|family| name.starts_with(family)) && !value.trim().is_empty()
        })
        .collect()
}

/// What the client would find out late, or never say clearly.
fn check_s3(settings: &BTreeMap<String, String>) -> Result<(), String> {
    let get = |name: &str| settings.get(name).map(String::as_str);
    if get("aws_conditional_put").is_some_and(|way| way != "etag") {
        return Err(
            "AWS_CONDITIONAL_PUT is not \"etag\", but manifests must never be replaced, which needs conditional \
             writes; leave it unset"
                .into(),
        );
    }
    for (one, other) in [
        ("aws_access_key_id", "aws_secret_access_key"),
        ("aws_secret_access_key", "aws_access_key_id"),
    ] {
        if get(one).is_some() && get(other).is_none() {
            let (one, other) = (one.to_ascii_uppercase(), other.to_ascii_uppercase());
            return Err(format!("{one} is set, but {other} is not; set both"));
        }
    }
    let endpoint = get("aws_endpoint_url_s3")
        .or(get("aws_endpoint_url"))
        .or(get("aws_endpoint"));
    let allow_http = get("aws_allow_http").is_some_and(|text| {
        let text = text.to_ascii_lowercase();
        ["true", "1", "yes", "on"].contains(&text.as_str())
    });
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) && !allow_http {
        return Err(
            "the endpoint speaks plain http; use https, or set AWS_ALLOW_HTTP=true where the network is trusted"
                .into(),
        );
    }
    Ok(())
}

/// The three builders have the same methods, and no trait that says so.
macro_rules! build {
    ($builder:ty, $url:expr, $settings:expr) => {{
        let mut builder = <$builder>::new()
            .with_url($url.as_str())
            .with_retry(retry())
            .with_client_options(client());
        for (name, value) in $settings {
            // Of a family, much is for other programs.
            if let Ok(key) = name.parse() {
                builder = builder.with_config(key, value);
            }
        }
        Ok(Arc::new(builder.build()?))
    }};
}

fn s3(url: &Url, settings: BTreeMap<String, String>) -> StoreResult<Arc<dyn ObjectStore>> {
    build!(AmazonS3Builder, url, settings)
}

fn gs(url: &Url, settings: BTreeMap<String, String>) -> StoreResult<Arc<dyn ObjectStore>> {
    build!(GoogleCloudStorageBuilder, url, settings)
}

fn az(url: &Url, settings: BTreeMap<String, String>) -> StoreResult<Arc<dyn ObjectStore>> {
    build!(MicrosoftAzureBuilder, url, settings)
}

fn client() -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(CONNECT)
        .with_timeout(REQUEST)
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(3),
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: RETRYING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(url: &str, settings: &[(&str, &str)]) -> Result<Arc<dyn ObjectStore>, String> {
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        open(&Url::parse(url).unwrap(), settings)
    }

    fn refused(url: &str, settings: &[(&str, &str)]) -> String {
        opened(url, settings).unwrap_err()
    }

    const KEYS: [(&str, &str); 2] = [
        ("AWS_ACCESS_KEY_ID", "key-of-test"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-test"),
    ];

    #[test]
    fn google_and_azure_open_with_their_own_settings() {
        let gs = opened("gs://bucket/lake", &[("GOOGLE_SKIP_SIGNATURE", "true")]).unwrap();
        assert!(format!("{gs:?}").contains("GoogleCloudStorage"));
        let account = [
            ("AZURE_STORAGE_ACCOUNT_NAME", "kycc"),
            ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0LW9mLXRlc3Q="),
        ];
        let az = opened("az://container/lake", &account).unwrap();
        assert!(format!("{az:?}").contains("MicrosoftAzure"));
        let nameless = refused("az://container/lake", &account[1..]);
        assert!(nameless.to_lowercase().contains("account"), "{nameless}");
    }

    #[test]
    fn the_clouds_of_others_and_blank_settings_are_not_read() {
        // Bare names are the client's own for its settings; in an environment they are somebody else's.
        let foreign = [
            ("TOKEN", "x"),
            ("TIMEOUT", "soon"),
            ("BUCKET", "other"),
            ("AWS_TIMEOUT", " "),
            ("AWS_ENDPOINT_URL", ""),
            ("AWS_PROFILE", "default"),
        ];
        let store = opened("s3://bucket/lake", &foreign).unwrap();
        let store = format!("{store:?}");
        assert!(store.contains("bucket: \"bucket\"") && !store.contains("other"));
        let wrong = refused("s3://bucket/lake", &[("AWS_TIMEOUT", "soon")]);
        assert!(!wrong.is_empty());
    }

    #[test]
    fn what_cannot_work_is_refused_when_it_is_opened() {
        let endpoint = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9000");
        assert!(refused("s3://b/l", &[endpoint]).contains("AWS_ALLOW_HTTP=true"));
        assert!(opened("s3://b/l", &[endpoint, ("AWS_ALLOW_HTTP", "true")]).is_ok());
        let half = refused("s3://b/l", &KEYS[..1]);
        assert!(half.contains("AWS_SECRET_ACCESS_KEY is not"), "{half}");
        let conditional = refused("s3://b/l", &[("AWS_CONDITIONAL_PUT", "disabled")]);
        assert!(conditional.contains("conditional"), "{conditional}");
        assert!(refused("ftp://host/x", &[]).contains("ftp"));
        assert!(refused("http://host/x", &[]).contains("scheme"));
    }

    #[test]
    fn secrets_are_neither_taken_from_the_url_nor_shown() {
        let refused = refused("s3://key:secret-of-test@bucket/lake", &[]);
        assert!(!refused.contains("secret-of-test"), "{refused}");
        let store = opened("s3://bucket/lake", &KEYS).unwrap();
        assert!(!store.to_string().contains("secret-of-test"), "{store}");
    }
}
