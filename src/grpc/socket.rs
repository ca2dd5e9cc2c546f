//! A connection's socket, kept in hand after HTTP/2 is done with it, so that it can be closed kindly.
//!
//! A socket that is closed while the peer still sends is reset by the system, and a reset throws
//! away what the peer has not read yet: the last answers of a stream, and where to resume.

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Most bytes of a peer that are on their way when it is told that nothing more comes; who sends more does not listen.
const IN_FLIGHT: usize = 16 << 20;

/// A socket that several may hold.
#[derive(Clone, Debug)]
pub struct Socket {
    stream: Arc<TcpStream>,
    moved: Arc<Moved>,
}

/// Bytes that have gone each way.
#[derive(Debug, Default)]
struct Moved {
    read: AtomicU64,
    written: AtomicU64,
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self { stream: Arc::new(stream), moved: Arc::default() }
    }
}

impl Socket {
    /// Bytes that have gone either way.
    #[must_use]
    pub fn moved_bytes(&self) -> u64 {
        self.read_bytes() + self.moved.written.load(Ordering::Relaxed)
    }

    /// Bytes that have come from the peer.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.moved.read.load(Ordering::Relaxed)
    }

    /// Says that nothing more comes, and takes in what the peer still sends until it closes too, within bounds.
    pub async fn close_kindly(self, patience: Duration) {
        if SockRef::from(&*self.stream).shutdown(Shutdown::Write).is_ok() {
            let _ = tokio::time::timeout(patience, self.take_in()).await;
        }
    }

    async fn take_in(&self) -> io::Result<()> {
        let mut rest = vec![0; 16 << 10];
        let mut taken = 0;
        while taken < IN_FLIGHT {
            self.stream.readable().await?;
            match self.stream.try_read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(bytes) => taken += bytes,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read_buf(buf) {
                Ok(bytes) => {
                    self.moved.read.fetch_add(bytes as u64, Ordering::Relaxed);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Socket {
    fn poll_with(&self, cx: &mut Context<'_>, write: impl Fn(&TcpStream) -> io::Result<usize>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match write(&self.stream) {
                Ok(bytes) => {
                    self.moved.written.fetch_add(bytes as u64, Ordering::Relaxed);
                    return Poll::Ready(Ok(bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(cx, |stream| stream.try_write(buf))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.poll_with(cx, |stream| stream.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.stream).shutdown(Shutdown::Write))
    }
}
