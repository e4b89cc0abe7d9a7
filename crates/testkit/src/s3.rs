//! A place of its own on the tests' S3 server, as a lake's URL and settings.

use uuid::Uuid;

/// A prefix that nobody else uses, in the bucket `kycc` of the server that `scripts/servers.sh` starts. What is put
/// there is removed by whoever put it.
#[derive(Debug, Clone)]
pub struct S3Place {
    /// `s3://kycc/<prefix>`.
    pub url: String,
    /// By the names that the AWS tools read: for `Lake::open_with`, or for the environment of a process.
    pub settings: Vec<(String, String)>,
}

impl S3Place {
    /// # Panics
    /// Where the server is not running; the text says how to start it.
    pub fn fresh() -> Self {
        let settings = [
            ("AWS_ENDPOINT_URL", setting("TEST_S3_ENDPOINT")),
            ("AWS_ACCESS_KEY_ID", setting("TEST_S3_ACCESS_KEY")),
            ("AWS_SECRET_ACCESS_KEY", setting("TEST_S3_SECRET_KEY")),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ];
        Self {
            url: format!("s3://kycc/test-{}", Uuid::new_v4()),
            settings: settings
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
        }
    }

    /// The same place with one setting replaced.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.retain(|(other, _)| other != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set, so there is no S3 server for this test: run `make test`, or \
             `scripts/servers.sh start DIR` and then `set -a; . DIR/env; set +a`"
        )
    })
}
