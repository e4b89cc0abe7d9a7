//! What labelling is for, without I/O, clock or async. The policies themselves are `kycc_domain::labels`.

pub(crate) mod history;
pub(crate) mod outcome;
pub(crate) mod parties;
