//! The names in a certificate, by which its holder is known.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// Subject alternative names of a certificate that was verified: DNS names as they are, URIs (such as SPIFFE ids) as they
/// are. The common name counts for nothing.
pub(crate) fn names_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else {
        return Vec::new();
    };
    let dns = certificate.valid_dns_names();
    let uris = certificate.valid_uri_names();
    dns.chain(uris).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_names_and_uris_are_read_and_the_common_name_is_not() {
        let mut wanted = rcgen::CertificateParams::new(vec!["scoring.kycc".to_owned()]).unwrap();
        let uri = "spiffe://kycc/fleet".try_into().unwrap();
        wanted.subject_alt_names.push(rcgen::SanType::URI(uri));
        wanted
            .distinguished_name
            .push(rcgen::DnType::CommonName, "orchestrator.kycc");
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = wanted.self_signed(&key).unwrap();
        assert_eq!(
            names_of(certificate.der()),
            ["scoring.kycc", "spiffe://kycc/fleet"]
        );
        assert!(names_of(&CertificateDer::from(vec![1, 2, 3])).is_empty());
    }
}
