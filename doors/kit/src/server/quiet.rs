//! Whether anything happens on a connection, whatever its protocol.
//!
//! Something happens while a request is worked on, and when a client takes in a part of an answer's body, a few
//! kilobytes at least. What a client sends does not count, and neither does what the protocol sends by itself, such as
//! the answer to a ping: a few bytes now and then would keep a connection for ever.

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

use bytes::Bytes;
use handel_ports::System;
use hyper::{
    body::{Body, Frame, SizeHint},
    rt::{Read, ReadBufCursor, Write},
};

/// A client that takes in less than this before the connection is quiet for too long is too slow, in bytes.
const PROGRESS_MIN: usize = 8 * 1_024;

/// When something last happened on a connection.
pub(super) struct Activity {
    system: System,
    last_us: AtomicI64,
    under_way: AtomicUsize,
    /// Bytes of answers that were made and not yet taken in.
    owed: AtomicUsize,
    /// Bytes that were taken in since something last happened.
    taken: AtomicUsize,
}

impl Activity {
    pub(super) fn new(system: System) -> Self {
        let last_us = system.now().as_microsecond().into();
        let zero = || AtomicUsize::new(0);
        Self { system, last_us, under_way: zero(), owed: zero(), taken: zero() }
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

    /// A part of an answer's body was made.
    fn owe(&self, bytes: usize) {
        self.owed.fetch_add(bytes, Ordering::AcqRel);
    }

    /// The client took something in, whatever it is.
    fn take(&self, bytes: usize) {
        let left = |owed: usize| Some(owed.saturating_sub(bytes));
        let owed = self.owed.fetch_update(Ordering::AcqRel, Ordering::Acquire, left).unwrap_or(0);
        let taken = self.taken.fetch_add(bytes, Ordering::AcqRel) + bytes;
        if owed > 0 && (taken >= PROGRESS_MIN || owed <= bytes) {
            self.touch();
        }
    }

    fn touch(&self) {
        self.taken.store(0, Ordering::Release);
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

/// The body of an answer, which notes what is made of it.
pub(super) struct Owed<B> {
    body: B,
    activity: Arc<Activity>,
}

impl<B> Owed<B> {
    pub(super) fn new(body: B, activity: Arc<Activity>) -> Self {
        Self { body, activity }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Owed<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.activity.owe(data.len());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
        if let Poll::Ready(Ok(bytes)) = &written {
            self.activity.take(*bytes);
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
