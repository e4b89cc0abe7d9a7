//! What a caller is told of an error of the state store: that it does not answer, where trying again may help; else
//! nothing that only the program's authors can use.

use kycc_rpc::ApiError;
use kycc_store::StoreError;

/// UNAVAILABLE for what passes by itself, INVALID_ARGUMENT for text that no database keeps, else internal. The cause is logged, once, and goes to nobody.
#[must_use]
pub fn store_error(error: &StoreError) -> ApiError {
    if error.reason() == "STORE_TEXT" {
        return ApiError::invalid("request", "must not hold a NUL character");
    }
    if !error.is_transient() {
        return ApiError::internal(error);
    }
    tracing::warn!(
        error = %kycc_telemetry::chain(error),
        reason = error.reason(),
        "the state store did not answer a call"
    );
    ApiError::unavailable(
        "STORE_UNAVAILABLE",
        "the state store does not answer; try again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    #[test]
    fn what_passes_is_told_from_a_defect_and_neither_tells_its_cause() {
        let told = |source| store_error(&StoreError::during("read a model")(source));
        let lost = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "by 10.0.0.7");
        let passes = told(sqlx::Error::Io(lost));
        assert_eq!(passes.code(), Code::Unavailable);
        assert!(!passes.to_string().contains("10.0.0.7"), "{passes}");
        let stays = told(sqlx::Error::ColumnNotFound("secret".into()));
        assert_eq!(stays.code(), Code::Internal);
        assert!(!stays.to_string().contains("secret"), "{stays}");
    }
}
