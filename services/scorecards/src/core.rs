//! What the service is for, without I/O, clock or async. Refinement and gates themselves are `kycc_domain`'s.

pub(crate) mod activation;
pub(crate) mod draft;
pub(crate) mod version;
