//! Between the outside and the core: the task, the sources, the gRPC service.

mod answers;
pub(crate) mod audit;
mod by_hand;
mod changes;
mod impact;
mod judged;
mod model_card;
pub(crate) mod refine;
pub(crate) mod rules;
pub(crate) mod service;
pub(crate) mod source;
mod watch;
