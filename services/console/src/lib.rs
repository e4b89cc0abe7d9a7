//! The console: what a person sees of the fleet in a browser, rendered on the server from the gRPC API alone.
//!
//! - `pages` — one module per noun, each asks the API and renders.
//! - `layout` — the frame around every page, its style, its error page.
//! - `module` — listens, serves, drains.

mod format;
mod layout;
mod module;
mod pages;

pub use module::module;
