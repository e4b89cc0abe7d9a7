//! What a client shows with every call.

use std::fmt;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::{Secret, SecurityError};

/// A token or an API key, for clients made `with_interceptor`; or nothing.
#[derive(Clone, Default)]
pub struct Credential(Option<MetadataValue<Ascii>>);

impl Credential {
    /// Fails for text that no header can carry, such as a file with two lines.
    pub fn bearer(secret: &Secret) -> Result<Self, SecurityError> {
        let value = format!("Bearer {}", secret.expose().trim());
        let mut value: MetadataValue<Ascii> = value.parse().map_err(|_| {
            SecurityError::setting(
                "the credential",
                "it has characters that no header may have",
            )
        })?;
        value.set_sensitive(true);
        Ok(Self(Some(value)))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(***)")
    }
}

impl Interceptor for Credential {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", value.clone());
        }
        Ok(request)
    }
}
