//! Log lines on their way out: handed over at once, or lost and counted.
//!
//! Whoever logs never waits and never fails, whatever has become of the disk or of the pipe's reader; one thread writes.
//! (`tracing-appender` does not count what its thread could not write, and prints, with a panic where it cannot.)

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// Most lines that wait to be written, and their bytes.
const WAITING: (usize, usize) = (8_192, 4 << 20);
/// Least time between two lines that tell of lost ones.
const TOLD_EACH: Duration = Duration::from_secs(1);

enum Message {
    Line(Vec<u8>),
    /// To be answered when all before it is written.
    Last(SyncSender<()>),
}

/// Where lines are handed over.
#[derive(Clone)]
pub struct Lines {
    sender: SyncSender<Message>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    waiting_bytes: AtomicUsize,
    lost: AtomicU64,
}

impl Lines {
    /// Lines that a thread of their own writes here.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, lines) = sync_channel(WAITING.0);
        let counts = Arc::new(Counts::default());
        let writing = Arc::clone(&counts);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&lines, out, &writing))?;
        Ok(Self { sender, counts })
    }

    /// Lines that could not be written, ever.
    pub fn lost(&self) -> u64 {
        self.counts.lost.load(Ordering::Relaxed)
    }

    /// Waits until what was handed over is written, but no longer than this.
    pub fn finish(&self, patience: Duration) {
        let (done, is_done) = sync_channel(1);
        if self.sender.try_send(Message::Last(done)).is_ok() {
            let _ = is_done.recv_timeout(patience);
        }
    }

    fn hand_over(&self, line: &[u8]) {
        let before = self.counts.waiting_bytes.fetch_add(line.len(), Ordering::AcqRel);
        if before + line.len() > WAITING.1 || self.sender.try_send(Message::Line(line.to_vec())).is_err() {
            self.counts.waiting_bytes.fetch_sub(line.len(), Ordering::AcqRel);
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.hand_over(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard error, past the lock that others might wait for.
pub fn standard_error() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?))
}

fn write_all(lines: &Receiver<Message>, mut out: impl Write, counts: &Counts) {
    let (mut torn, mut told, mut told_at) = (false, 0, None::<Instant>);
    for message in lines {
        let line = match message {
            Message::Line(line) => line,
            Message::Last(done) => {
                let _ = done.try_send(());
                continue;
            }
        };
        counts.waiting_bytes.fetch_sub(line.len(), Ordering::AcqRel);
        // What is left of a line that could not be written whole is not to run into the next.
        let written = if torn { out.write_all(b"\n") } else { Ok(()) }.and_then(|()| out.write_all(&line));
        torn = written.is_err();
        if torn {
            counts.lost.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let lost = counts.lost.load(Ordering::Relaxed);
        if lost > told && told_at.is_none_or(|at| at.elapsed() >= TOLD_EACH) {
            tracing::warn!(lines = lost - told, "log lines were lost, of the audit log too");
            (told, told_at) = (lost, Some(Instant::now()));
        }
    }
}
