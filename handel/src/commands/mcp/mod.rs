//! `handel mcp`: a running shop for an assistant on this machine, over the standard input and output.
//!
//! Carries each message to the shop and each answer back. It opens no database: the shop that runs has it, and
//! what an assistant may do is decided there, by the same rules as over HTTP.

mod bridge;
mod message;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, BufReader, stdin};

use self::bridge::Bridge;
use crate::{config::Config, console};

/// Serves one assistant until it closes the input. Messages are lines; they are answered one after the other.
pub async fn run(config: &Config, url: Option<&str>) -> Result<()> {
    let mut bridge = Bridge::new(config, url)?;
    console::note(&format!("handel: speaking for the shop at {}", bridge.base()));
    let mut input = BufReader::new(stdin());
    while let Some(line) = next_line(&mut input, config.server.agent_body_max_bytes).await? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        for answer in bridge.carry(&line).await {
            // Compact JSON has no line breaks, as the protocol wants it.
            console::line(&answer.to_string())?;
        }
    }
    Ok(())
}

/// The next line, without a limit on how many there are, but on how long each is.
async fn next_line(input: &mut (impl AsyncBufRead + Unpin), max: usize) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let read = input.take(limit).read_until(b'\n', &mut line).await;
    match read.context("the standard input cannot be read")? {
        0 => Ok(None),
        _ if line.len() > max => bail!("a message is longer than {max} bytes"),
        _ => Ok(Some(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_have_a_limit() {
        let mut input = BufReader::new(&b"one\ntwo"[..]);
        assert_eq!(next_line(&mut input, 8).await.unwrap(), Some(b"one\n".to_vec()));
        assert_eq!(next_line(&mut input, 8).await.unwrap(), Some(b"two".to_vec()));
        assert_eq!(next_line(&mut input, 8).await.unwrap(), None);
        let mut input = BufReader::new(&b"123456789\n"[..]);
        assert!(next_line(&mut input, 8).await.is_err());
    }
}
