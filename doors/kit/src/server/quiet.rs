//! Whether anything happens on a connection, whatever its protocol.
//!
//! Something happens while a request is worked on, and when a client takes in a part of an answer. What a client
//! sends does not count, or one byte now and then would keep a connection for ever.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use handel_ports::System;
use hyper::rt::{Read, ReadBufCursor, Write};

/// When something last happened on a connection.
pub(super) struct Activity {
    system: System,
    last_us: AtomicI64,
    under_way: AtomicUsize,
}

impl Activity {
    pub(super) fn new(system: System) -> Self {
        let last_us = system.now().as_microsecond().into();
        Self { system, last_us, under_way: AtomicUsize::new(0) }
    }

    /// A request is worked on for as long as what this returns lives.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(self.clone())
    }

    /// Ends when nothing has happened for that long.
    pub(super) async fn quiet_for(&self, limit: Duration) {
        loop {
            let left = limit.saturating_sub(self.quiet());
            if left.is_zero() {
                return;
            }
            self.system.sleep(left).await;
        }
    }

    fn touch(&self) {
        self.last_us.store(self.system.now().as_microsecond(), Ordering::Release);
    }

    fn quiet(&self) -> Duration {
        if self.under_way.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        let now_us = self.system.now().as_microsecond();
        let quiet_us = now_us.saturating_sub(self.last_us.load(Ordering::Acquire));
        // A clock that was set back has measured nothing.
        Duration::from_micros(u64::try_from(quiet_us).unwrap_or(0))
    }
}

/// A request that is worked on.
pub(super) struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.touch();
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A stream that notes when its other end takes something in.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(_))) {
            self.activity.touch();
        }
        written
    }
}

impl<S: Read + Unpin> Read for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: Write + Unpin> Write for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.note(written)
    }
}
