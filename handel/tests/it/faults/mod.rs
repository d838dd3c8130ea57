//! What breaks under a running shop, and what the shop makes of it: power cuts, full disks, damaged files, and a
//! database that goes away. `docs/operations.md` says the same in a table.

mod damage;
mod disk;
mod kill;
mod postgres;
mod proxy;
mod shopper;
