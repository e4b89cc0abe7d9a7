//! The seams between the two databases: one macro that expands a body once for each typed driver, one that picks the
//! driver of an open store.

/// Expands its body once per database, each in a module of its own (`sqlite`, `postgres`). The body names what it needs
/// through `driver`: `driver::{Store, Tx, Pool, Connection, Row, Database, NAME}`. Use it at most once per file, around
/// `impl SomeStore for driver::Store`.
///
/// ```
/// trait Notes { fn name(&self) -> &'static str; }
///
/// kycc_store::for_each_driver! {
///     impl Notes for driver::Store {
///         fn name(&self) -> &'static str { driver::NAME }
///     }
/// }
/// ```
#[macro_export]
macro_rules! for_each_driver {
    ($($body:tt)*) => {
        mod sqlite {
            #[allow(unused_imports, reason = "which names a body needs is its own affair")]
            use super::*;
            use $crate::sqlite as driver;
            $($body)*
        }
        mod postgres {
            #[allow(unused_imports, reason = "which names a body needs is its own affair")]
            use super::*;
            use $crate::postgres as driver;
            $($body)*
        }
    };
}

/// Evaluates an expression on the driver that a [`Store`](crate::Store) turned out to have. How a service gets its trait
/// object:
///
/// ```
/// # use std::sync::Arc;
/// # trait Notes {}
/// # kycc_store::for_each_driver! { impl Notes for driver::Store {} }
/// # fn of(opened: kycc_store::Store) -> Arc<dyn Notes> {
/// let notes = kycc_store::with_driver!(opened, |store| Arc::new(store) as Arc<dyn Notes>);
/// # notes }
/// ```
#[macro_export]
macro_rules! with_driver {
    ($opened:expr, |$store:ident| $body:expr) => {
        match $opened {
            $crate::Store::Sqlite($store) => $body,
            $crate::Store::Postgres($store) => $body,
        }
    };
}
