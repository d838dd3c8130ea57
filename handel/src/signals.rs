//! Being told to stop.

use anyhow::{Context as _, Result};
use handel_ports::System;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Turns true when the process is told to stop, by SIGTERM or SIGINT. A second time ends it at once.
pub fn listen(system: &System) -> Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be caught")?;
    let (told, stop) = watch::channel(false);
    system.spawn(async move {
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if told.send_replace(true) {
                tracing::warn!(signal = name, "told to stop again; ending at once");
                std::process::exit(1);
            }
            tracing::info!(signal = name, "told to stop; requests under way may end");
        }
    });
    Ok(stop)
}
