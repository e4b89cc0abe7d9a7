//! What is known of every method before it is called: whether it streams, and whether it changes anything.

use std::collections::HashMap;
use std::sync::LazyLock;

use kycc_rpc::{Effects, METHODS};
use prost::Message;
use prost_types::FileDescriptorSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Method {
    pub(crate) sends_stream: bool,
    pub(crate) answers_stream: bool,
    pub(crate) reads: bool,
}

/// By path: `/kycc.scoring.v1.ScoringService/GetScore`.
static KNOWN: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let files = FileDescriptorSet::decode(kycc_proto::FILE_DESCRIPTOR_SET).unwrap_or_default();
    let reads = |name: &str| {
        let rule = METHODS.iter().find(|(known, ..)| *known == name);
        rule.is_some_and(|(.., effects)| *effects == Effects::Reads)
    };
    let services = files.file.iter().flat_map(|file| {
        let of_file = file.service.iter();
        of_file.map(move |service| (format!("{}.{}", file.package(), service.name()), service))
    });
    services
        .flat_map(|(name, service)| {
            let methods = service.method.iter();
            methods.map(move |method| {
                let full = format!("{name}/{}", method.name());
                let known = Method {
                    sends_stream: method.client_streaming(),
                    answers_stream: method.server_streaming(),
                    reads: reads(&full),
                };
                (format!("/{full}"), known)
            })
        })
        .collect()
});

/// What nobody knows is taken for a stream that changes something: it gets no deadline and is made once.
pub(crate) fn method(path: &str) -> Method {
    KNOWN.get(path).copied().unwrap_or(Method {
        sends_stream: true,
        answers_stream: true,
        reads: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_table_is_known_as_the_contracts_have_it() {
        for (name, _, effects) in METHODS {
            let known = KNOWN.get(&format!("/{name}")).expect(name);
            assert_eq!(known.reads, *effects == Effects::Reads, "{name}");
        }
        let watch = method("/kycc.orchestrator.v1.OrchestratorService/WatchRun");
        assert!(watch.answers_stream && watch.reads && !watch.sends_stream);
        let record = method("/kycc.labels.v1.LabelService/RecordOutcomes");
        assert!(record.sends_stream && !record.reads);
        assert!(!method("/nobody.Knows/This").reads);
    }
}
