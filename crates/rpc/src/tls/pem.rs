//! Certificates and keys out of PEM files.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::SecurityError;

pub(super) fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, SecurityError> {
    let bytes = std::fs::read(path).map_err(SecurityError::read(what, path))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|error| SecurityError::file(what, path, error.to_string()))?;
    if found.is_empty() {
        let problem = "there is no PEM block CERTIFICATE in it";
        return Err(SecurityError::file(what, path, problem));
    }
    Ok(found)
}

pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, SecurityError> {
    const WHAT: &str = "private key";
    let bytes = std::fs::read(path).map_err(SecurityError::read(WHAT, path))?;
    // The parser's own words could show a piece of the key.
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        SecurityError::file(
            WHAT,
            path,
            "there is no PEM block PRIVATE KEY in it; keys with a passphrase are not supported",
        )
    })
}

pub(super) fn roots(what: &'static str, path: &Path) -> Result<RootCertStore, SecurityError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(what, path)? {
        let added = roots.add(certificate);
        added.map_err(|error| SecurityError::file(what, path, error.to_string()))?;
    }
    Ok(roots)
}
