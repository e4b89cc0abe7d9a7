//! The seam for a second database: one macro that expands a body once for every typed driver.

/// Expands its body once per database, each in a module of its own (`sqlite`; `postgres` will be one more line here).
/// The body names what it needs through `driver`: `driver::{Store, Tx, Pool, Connection, Row, Database}`. Use it at
/// most once per file, around `impl SomeStore for driver::Store`.
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
    };
}
