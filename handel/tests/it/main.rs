//! The program as an operator sees it: the real binary in directories of its own.

mod backup;
mod browser;
mod configuration;
mod demo;
mod doctor;
mod doors;
mod faults;
mod files;
mod import;
mod keys;
mod limits;
mod mcp;
mod serve;
mod support;
mod ucp_compat;
