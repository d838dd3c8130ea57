//! Stock: levels, holds, the ledger, and promises to orders.

mod adjust;
mod hold;
mod queries;
mod reserve;
mod sql;

pub use adjust::{AdjustStock, StockKey};
pub(crate) use adjust::{ensure_location, set_on_hand};
pub(crate) use hold::{hold, release_expired_holds, release_holds};
pub use queries::{MovementEntry, StockView};
pub(crate) use reserve::{release_order, reserve, reserve_rows, ship, short};
pub(crate) use sql::{levels_of, read_levels};
