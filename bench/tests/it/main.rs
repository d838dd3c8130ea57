//! The bench itself, on real servers: small runs whose numbers mean nothing, but whose promises must hold.

mod capacity;
mod compare;
mod loads;
mod support;
