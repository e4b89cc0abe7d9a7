//! What a caller is told of an error of the lake. What an operator can mend is said with its place in the lake, which is
//! the same on every machine; what is a defect of the program stays inside.

use kycc_lake::LakeError;
use kycc_rpc::ApiError;

/// FAILED_PRECONDITION with the lake's own reason for a version that is missing, broken or of another program;
/// UNAVAILABLE where trying again may help; else internal. The cause is logged, once, and goes to nobody.
#[must_use]
pub fn lake_error(error: &LakeError) -> ApiError {
    if error.retryable() {
        log(error);
        let message = format!("{error}; try again");
        return ApiError::unavailable("LAKE_UNAVAILABLE", message);
    }
    match error {
        LakeError::NotFound { .. }
        | LakeError::Corrupt { .. }
        | LakeError::Damaged { .. }
        | LakeError::SchemaVersion { .. } => {
            log(error);
            ApiError::precondition(error.reason(), error.to_string())
        }
        LakeError::Store { .. } => {
            log(error);
            ApiError::precondition(error.reason(), error.to_string())
        }
        _ => ApiError::internal(error),
    }
}

fn log(error: &LakeError) {
    tracing::warn!(error = %kycc_telemetry::chain(error), "the lake did not answer a call");
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_lake::Lake;
    use kycc_lake::datasets::REJECTED;
    use tonic::Code;

    #[tokio::test]
    async fn a_missing_version_is_told_with_its_place_in_the_lake_alone() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(&format!("file://{}", folder.path().display())).unwrap();
        let batch = kycc_domain::ids::BatchId::new("B1").unwrap();
        let id = REJECTED.version(batch, "k1");
        let error = lake_error(&lake.existing(&id).await.unwrap_err());
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert_eq!(error.reason(), "VERSION_NOT_FOUND");
        let text = error.to_string();
        assert!(text.contains("\"rejected/B1/k1\""), "{text}");
        let place = folder.path().to_str().unwrap();
        assert!(!text.contains(place), "{text}");

        let manifest = folder.path().join("rejected/B1/k1/manifest.json");
        std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
        std::fs::write(&manifest, "{\"rows\": ").unwrap();
        let error = lake_error(&lake.existing(&id).await.unwrap_err());
        assert_eq!(error.reason(), "MANIFEST_CORRUPT");
        assert!(!error.to_string().contains(place), "{error}");
    }

    #[test]
    fn a_defect_of_the_program_stays_inside() {
        let error = lake_error(&LakeError::UnknownColumn {
            path: "scores/B1/k".into(),
            column: "x".into(),
            known: "y".into(),
        });
        assert_eq!(error.code(), Code::Internal);
        assert!(!error.to_string().contains("scores"), "{error}");
    }
}
