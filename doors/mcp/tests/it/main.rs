//! What the door for assistants promises, met over its whole transport.

mod arguments;
mod buying;
mod merchant;
mod offers;
mod support;
mod transport;
