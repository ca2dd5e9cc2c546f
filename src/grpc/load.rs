//! The other end of the wire: calls a server as many callers would, and checks each answer by its content.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use super::pb;
use jianbao_engine::report::OffsetEncoding;
use jianbao_engine::{Bulletin, Engine};
use pb::bulk_extract_reports_response::Outcome;
use pb::extract_report_service_client::ExtractReportServiceClient;

/// Largest report that is taken in, in bytes.
const LARGEST_REPORT: usize = 256 << 20;

/// What to send, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the server listens: `http://127.0.0.1:50051`.
    pub server: String,
    /// The texts, taken in turn.
    pub texts: Vec<String>,
    /// One stream for each of the callers instead of unary calls.
    pub bulk: bool,
    /// How many callers go on at once.
    pub concurrency: usize,
    /// How many connections they share.
    pub connections: usize,
    /// When to send no more.
    pub duration: Option<Duration>,
    /// How many bulletins to send at most.
    pub count: Option<u64>,
    /// How many calls to begin in a second, whether others were answered or not; as fast as answers come if `None`.
    pub rate: Option<u64>,
    /// The deadline of a unary call.
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Reports that are what this program's own engine reads.
    pub right: u64,
    /// Reports that are not, or that answer another request than their turn.
    pub wrong: u64,
    /// Calls and items that failed, by the name of their code.
    pub errors: BTreeMap<String, u64>,
    /// Refusals (RESOURCE_EXHAUSTED) that do not say when to come back.
    pub mute: u64,
    /// Bytes of text that reports came for.
    pub bytes: u64,
    /// How long answers took.
    pub latency: Latencies,
    /// From the first call to the last answer.
    pub elapsed: Duration,
}

/// Times in microseconds, each rounded down to six binary digits: no more than 3 % too low.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies(BTreeMap<u64, u64>);

impl Latencies {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let dropped = (u64::BITS - micros.leading_zeros()).saturating_sub(6);
        *self.0.entry(micros >> dropped << dropped).or_default() += 1;
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The least time that `share` of 10,000 answers did not exceed, in microseconds.
    #[must_use]
    pub fn percentile(&self, share: u64) -> Option<u64> {
        let rank = self.count().saturating_mul(share).div_ceil(10_000);
        let mut seen = 0;
        self.0.iter().find_map(|(&micros, &count)| {
            seen += count;
            (seen >= rank).then_some(micros)
        })
    }

    fn merge(&mut self, other: Self) {
        for (micros, count) in other.0 {
            *self.0.entry(micros).or_default() += count;
        }
    }
}

impl Tally {
    fn refuse(&mut self, status: &Status) {
        let says_when = status.get_details_retry_info().is_some_and(|info| info.retry_delay.is_some());
        self.mute += u64::from(status.code() == Code::ResourceExhausted && !says_when);
        // Nobody cancels here but the client's own timer, which may be ahead of the server's answer.
        let code = Some(status.code()).filter(|code| *code != Code::Cancelled);
        self.fail(code.unwrap_or(Code::DeadlineExceeded));
    }

    fn fail(&mut self, code: Code) {
        *self.errors.entry(format!("{code:?}")).or_default() += 1;
    }

    fn merge(&mut self, other: Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.mute += other.mute;
        self.bytes += other.bytes;
        self.latency.merge(other.latency);
        for (code, count) in other.errors {
            *self.errors.entry(code).or_default() += count;
        }
    }
}

/// A load under way.
#[derive(Debug)]
pub struct Load {
    plan: Plan,
    /// What the engine of this program makes of each text, without the bulletin's identifier.
    expected: Vec<pb::Report>,
    started: Instant,
    next: AtomicU64,
    answered: AtomicU64,
    ended: AtomicBool,
}

/// One bulletin to be sent.
#[derive(Clone, Debug)]
struct Turn {
    id: String,
    /// Index of its text.
    text: usize,
    /// When its call was to begin.
    due: Instant,
}

impl Load {
    /// Gets ready to do as `plan` says.
    #[must_use]
    pub fn new(plan: Plan, engine: &Engine) -> Self {
        let read = |text: &String| {
            let mut report = engine.extract(&Bulletin { text: text.clone(), ..Bulletin::default() });
            report.encode_offsets(text, OffsetEncoding::default());
            report.into()
        };
        let expected = plan.texts.iter().map(read).collect();
        let [next, answered] = [AtomicU64::new(0), AtomicU64::new(0)];
        Self { plan, expected, started: Instant::now(), next, answered, ended: AtomicBool::new(false) }
    }

    /// How many bulletins have been answered so far.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When the address is none, or no connection can be made.
    pub async fn run(mut self, mut watch: impl FnMut(&Self) + Send + 'static) -> Result<Tally, tonic::transport::Error> {
        let mut channels = Vec::new();
        for _ in 0..self.plan.connections.clamp(1, self.plan.concurrency.max(1)) {
            channels.push(Endpoint::from_shared(self.plan.server.clone())?.tcp_nodelay(true).connect().await?);
        }
        self.started = Instant::now();
        let load = Arc::new(self);
        let mut callers = JoinSet::new();
        for channel in channels.iter().cycle().take(load.plan.concurrency).cloned() {
            let load = Arc::clone(&load);
            callers.spawn(async move { if load.plan.bulk { load.stream(channel).await } else { load.call(channel).await } });
        }
        let watched = Arc::clone(&load);
        let watcher = tokio::spawn(async move {
            let mut second = tokio::time::interval(Duration::from_secs(1));
            while !watched.ended.load(Ordering::Relaxed) {
                second.tick().await;
                watch(&watched);
            }
        });
        let mut tally = Tally::default();
        while let Some(caller) = callers.join_next().await {
            tally.merge(caller.unwrap_or_default());
        }
        tally.elapsed = load.started.elapsed();
        load.ended.store(true, Ordering::Relaxed);
        watcher.abort();
        Ok(tally)
    }

    /// The next bulletin, if there is still one to be sent.
    fn turn(&self) -> Option<Turn> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if self.plan.count.is_some_and(|count| number >= count) {
            return None;
        }
        let due = self.plan.rate.map_or_else(Instant::now, |rate| {
            self.started
                + Duration::from_nanos(u64::try_from(u128::from(number) * 1_000_000_000 / u128::from(rate.max(1))).unwrap_or(u64::MAX))
        });
        let late = self.plan.duration.is_some_and(|duration| due >= self.started + duration);
        let text = usize::try_from(number % u64::try_from(self.plan.texts.len().max(1)).unwrap_or(1)).unwrap_or(0);
        (!late).then(|| Turn { id: format!("bench-{number}"), text, due })
    }

    fn request(&self, turn: &Turn) -> pb::ExtractReportRequest {
        let text = self.plan.texts.get(turn.text).cloned().unwrap_or_default();
        let bulletin = pb::Bulletin { id: turn.id.clone(), text, ..pb::Bulletin::default() };
        pb::ExtractReportRequest { bulletin: Some(bulletin), options: None }
    }

    /// Notes that a bulletin has been answered, one way or the other.
    fn settle(&self, tally: &mut Tally, turn: &Turn) {
        tally.latency.add(turn.due.elapsed());
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer.
    fn count(&self, tally: &mut Tally, turn: &Turn, answer: Option<pb::Report>) {
        self.settle(tally, turn);
        let expected = self.expected.get(turn.text);
        let right = answer.is_some_and(|report| {
            report.bulletin_id == turn.id && Some(pb::Report { bulletin_id: String::new(), ..report }).as_ref() == expected
        });
        if right {
            tally.right += 1;
            tally.bytes += self.plan.texts.get(turn.text).map_or(0, |text| text.len() as u64);
        } else {
            tally.wrong += 1;
        }
    }

    /// A caller of unary calls, one after the other.
    async fn call(&self, channel: Channel) -> Tally {
        let mut client = ExtractReportServiceClient::new(channel).max_decoding_message_size(LARGEST_REPORT);
        let mut tally = Tally::default();
        while let Some(turn) = self.turn() {
            tokio::time::sleep_until(turn.due.into()).await;
            let mut request = Request::new(self.request(&turn));
            request.set_timeout(self.plan.timeout);
            match client.extract_report(request).await {
                Ok(response) => self.count(&mut tally, &turn, response.into_inner().report),
                Err(status) => {
                    self.settle(&mut tally, &turn);
                    tally.refuse(&status);
                }
            }
        }
        tally
    }

    /// A caller of one stream.
    async fn stream(self: &Arc<Self>, channel: Channel) -> Tally {
        let mut client = ExtractReportServiceClient::new(channel).max_decoding_message_size(LARGEST_REPORT);
        let sent: Arc<Mutex<VecDeque<Turn>>> = Arc::default();
        let (load, noted) = (Arc::clone(self), Arc::clone(&sent));
        let requests = std::iter::from_fn(move || {
            let turn = load.turn()?;
            let request = load.request(&turn);
            noted.lock().unwrap_or_else(PoisonError::into_inner).push_back(turn);
            Some(request)
        });
        let mut tally = Tally::default();
        if let Err(status) = self.answers(&mut client, requests, &sent, &mut tally).await {
            tally.refuse(&status);
        }
        // What was sent and never answered: no stream may end so.
        let unanswered = sent.lock().unwrap_or_else(PoisonError::into_inner).len();
        tally.wrong += u64::try_from(unanswered).unwrap_or(u64::MAX);
        tally
    }

    /// Takes in the answers of a stream, each of which must answer the first request that has none.
    async fn answers(
        &self,
        client: &mut ExtractReportServiceClient<Channel>,
        requests: impl Iterator<Item = pb::ExtractReportRequest> + Send + 'static,
        sent: &Mutex<VecDeque<Turn>>,
        tally: &mut Tally,
    ) -> Result<(), Status> {
        let mut answers = client.bulk_extract_reports(tokio_stream::iter(requests)).await?.into_inner();
        let mut sequence = 0;
        while let Some(answer) = answers.message().await? {
            let turn = sent.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let in_turn = answer.sequence == sequence;
            sequence += 1;
            match (turn, answer.outcome) {
                (Some(turn), Some(Outcome::Report(report))) => self.count(tally, &turn, Some(report).filter(|_| in_turn)),
                (Some(turn), Some(Outcome::Error(error))) => {
                    self.settle(tally, &turn);
                    tally.fail(Code::from_i32(error.code));
                }
                _ => tally.wrong += 1,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_tell_percentiles_within_three_percent() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(5_000), None);
        for micros in 1..=10_000 {
            latencies.add(Duration::from_micros(micros));
        }
        assert_eq!(latencies.count(), 10_000);
        for (share, exact) in [(5_000, 5_000), (9_000, 9_000), (9_990, 9_990), (10_000, 10_000)] {
            let told = latencies.percentile(share).unwrap();
            assert!(told <= exact && told >= exact * 968 / 1_000, "{share}: {told}");
        }
        assert_eq!(latencies.percentile(1), Some(1));
    }
}
