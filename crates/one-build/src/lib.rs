//! Nothing but dependencies: it asks for the features that any crate of the workspace wants of the libraries beneath
//! DataFusion. Cargo compiles a library once per set of features, so without this, building or testing one crate alone
//! (`-p`) would compile DataFusion again, which takes minutes.
