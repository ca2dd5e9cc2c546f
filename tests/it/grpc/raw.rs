//! A caller with no gRPC library: HTTP/2 frames as a test wants them.

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use prost::Message;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::Running;

pub const UNARY: &str = "/jianbao.v1.ExtractReportService/ExtractReport";
pub const BULK: &str = "/jianbao.v1.ExtractReportService/BulkExtractReports";

pub struct Raw {
    pub send: SendRequest<Bytes>,
    pub connection: JoinHandle<Result<(), h2::Error>>,
}

/// What a call ended with.
#[derive(Debug)]
pub struct Ended {
    pub headers: HeaderMap,
    pub data: Vec<u8>,
    pub trailers: HeaderMap,
}

impl Ended {
    /// The status of the call, wherever it stands.
    pub fn grpc(&self) -> tonic::Status {
        let found = tonic::Status::from_header_map(&self.trailers);
        found.or_else(|| tonic::Status::from_header_map(&self.headers)).expect("the call has a status")
    }

    /// The answers of a stream.
    pub fn items(&self) -> Vec<jianbao::grpc::pb::BulkExtractReportsResponse> {
        let mut rest = &self.data[..];
        let mut items = Vec::new();
        while let [0, a, b, c, d, tail @ ..] = rest {
            let (message, tail) = tail.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
            items.push(Message::decode(message).unwrap());
            rest = tail;
        }
        assert!(rest.is_empty());
        items
    }
}

pub async fn connect(running: &Running) -> Raw {
    connect_to(&running.address.to_string()).await
}

pub async fn connect_to(address: &str) -> Raw {
    let socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    // This caller drops answers unread; its library would take so many small frames for an attack.
    let mut builder = h2::client::Builder::new();
    let (send, connection) = builder.data_frame_budget(1 << 40).handshake(socket).await.unwrap();
    Raw { send: send.ready().await.unwrap(), connection: tokio::spawn(connection) }
}

pub fn call(path: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::post(format!("http://server{path}")).header("content-type", "application/grpc").header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

impl Raw {
    /// Begins a call.
    pub async fn begin(&self, request: Request<()>) -> (h2::client::ResponseFuture, SendStream<Bytes>) {
        let mut send = self.send.clone().ready().await.unwrap();
        send.send_request(request, false).unwrap()
    }

    /// Makes a call with this body and reads it to its end.
    pub async fn whole(&self, request: Request<()>, body: Vec<u8>) -> Ended {
        let (response, mut stream) = self.begin(request).await;
        let sent = tokio::spawn(async move {
            let _ = send_all(&mut stream, body.into(), true).await;
        });
        let ended = read(response.await.unwrap()).await;
        sent.abort();
        ended
    }
}

/// Sends as flow control allows.
pub async fn send_all(stream: &mut SendStream<Bytes>, mut data: Bytes, end: bool) -> Result<(), h2::Error> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len().min(64 << 10));
        let granted = match std::future::poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(granted) => granted?,
            None => return Ok(()),
        };
        stream.send_data(data.split_to(granted.min(data.len())), false)?;
    }
    if end { stream.send_data(Bytes::new(), true) } else { Ok(()) }
}

pub async fn read(response: Response<RecvStream>) -> Ended {
    let (parts, mut body) = response.into_parts();
    let mut data = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        body.flow_control().release_capacity(part.len()).unwrap();
        data.extend_from_slice(&part);
    }
    let trailers = body.trailers().await.unwrap().unwrap_or_default();
    Ended { headers: parts.headers, data, trailers }
}

pub fn frame(message: &impl Message) -> Vec<u8> {
    bytes_frame(false, &message.encode_to_vec())
}

pub fn bytes_frame(compressed: bool, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![u8::from(compressed)];
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend_from_slice(bytes);
    out
}
