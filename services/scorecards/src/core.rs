//! What the service is for, without I/O, clock or async. Refinement and gates themselves are `kycc_domain`'s.

pub(crate) mod audit;
pub(crate) mod by_hand;
pub(crate) mod draft;
pub(crate) mod life;
pub(crate) mod record;
pub(crate) mod rule_sets;
pub(crate) mod rule_trial;
pub(crate) mod standing;
pub(crate) mod verify;
pub(crate) mod version;
