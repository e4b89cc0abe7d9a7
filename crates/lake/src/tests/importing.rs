//! A file of a user's becomes a version like any other.

use super::*;
use crate::datasets::KYC_FEATURES;
use crate::testing::id;

on_every_store!(an_imported_file_is_a_version);

async fn an_imported_file_is_a_version(place: &Place) {
    let lake = place.lake();
    let path = place.folder.path().join("kyc.csv");
    let header =
        "party_id,kyc_verified,company_age_years,party_type_score,contact_completeness,has_tax_id";
    std::fs::write(&path, format!("{header}\nb,1,2.5,7,75,0\na,0,1,10,100,1\n")).unwrap();
    let id = id(&KYC_FEATURES, "k");
    let import = |number| lake.import_table(&KYC_FEATURES, &id, &path, attempt(number));
    let first = import(1).await.unwrap();
    assert_eq!(import(2).await.unwrap(), first);
    assert_eq!(lake.verify(&id).await.unwrap().rows, 2);
    std::fs::write(&path, format!("{header}\na,0,1,10,100,1\n")).unwrap();
    let error = lake
        .import_table(&KYC_FEATURES, &id, &path, attempt(3))
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "NONDETERMINISTIC_STEP");
}
