//! The shop in the words that all versions of the protocol share. One mapping leads from the engine to these types;
//! each version has its own way to write them.

pub(crate) mod basket;
pub(crate) mod catalog;
pub(crate) mod checkout;
pub(crate) mod consent;
pub(crate) mod delivery;
pub(crate) mod discount;
pub(crate) mod message;
pub(crate) mod order;
pub(crate) mod policy;
pub(crate) mod product;
pub(crate) mod refusal;
pub(crate) mod request;
pub(crate) mod totals;

pub(crate) use message::Message;
