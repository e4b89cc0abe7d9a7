//! The contracts between services, generated from `proto/`, and the descriptor set that reflection serves.

/// Encoded `FileDescriptorSet` of every proto here.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/kycc_descriptor.bin"));

pub mod audit {
    pub mod v1 {
        tonic::include_proto!("kycc.audit.v1");
    }
}
pub mod work {
    pub mod v1 {
        tonic::include_proto!("kycc.work.v1");
    }
}
pub mod orchestrator {
    pub mod v1 {
        tonic::include_proto!("kycc.orchestrator.v1");
    }
}
pub mod ingestion {
    pub mod v1 {
        tonic::include_proto!("kycc.ingestion.v1");
    }
}
pub mod features {
    pub mod v1 {
        tonic::include_proto!("kycc.features.v1");
    }
}
pub mod scoring {
    pub mod v1 {
        tonic::include_proto!("kycc.scoring.v1");
    }
}
pub mod labels {
    pub mod v1 {
        tonic::include_proto!("kycc.labels.v1");
    }
}
pub mod models {
    pub mod v1 {
        tonic::include_proto!("kycc.models.v1");
    }
}
pub mod scorecards {
    pub mod v1 {
        tonic::include_proto!("kycc.scorecards.v1");
    }
}
