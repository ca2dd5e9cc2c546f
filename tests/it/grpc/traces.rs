//! L6: spans of calls over OTLP, from the caller's context to the log line.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

use super::life::Program;
use super::operate::audited;
use super::{LONG, pb, request};

/// A collector in this process, which hands on what it is sent.
struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let _ = self.0.send(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collector() -> (SocketAddr, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, received) = mpsc::unbounded_channel();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    tokio::spawn(tonic::transport::Server::builder().add_service(TraceServiceServer::new(Collector(sender))).serve_with_incoming(incoming));
    (address, received)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn traced(id: &str, text: &str, context: &str) -> Request<pb::ExtractReportRequest> {
    let mut call = Request::new(request(id, text));
    call.metadata_mut().insert("traceparent", context.parse().unwrap());
    call
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_spans_go_to_the_collector_below_those_of_their_callers() {
    let (address, mut received) = collector().await;
    let program = Program::start(&["--otlp-endpoint", &format!("http://{address}"), "--trace-per-thousand", "0"]);
    let mut client = program.client().await;
    let sampled = format!("00-{TRACE}-{PARENT}-01");
    client.extract_report(traced("a", "清河农商银行发放贷款3亿元。", &sampled)).await.unwrap();
    let line = audited(&program);
    assert_eq!(line["trace_id"], TRACE);
    client.extract_report(traced("bad", "", &sampled)).await.unwrap_err();
    // Of these the caller says that they are not traced, or says nothing, and then none in a thousand is.
    client.extract_report(traced("b", "x", &format!("00-{TRACE}-{PARENT}-00"))).await.unwrap();
    client.extract_report(request("c", "x")).await.unwrap();
    client.extract_report(traced("d", "x", "no context")).await.unwrap();
    program.terminate();
    let mut spans: Vec<Span> = Vec::new();
    let mut service = None;
    while spans.len() < 2 {
        let batch = tokio::time::timeout(LONG, received.recv()).await.expect("the spans come at the latest with the end").unwrap();
        for resource in batch.resource_spans {
            let name = resource.resource.unwrap().attributes.into_iter().find(|attribute| attribute.key == "service.name");
            service = name.and_then(|name| name.value).and_then(|value| value.value);
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    assert_eq!(service, Some(Value::StringValue("jianbao".to_owned())));
    assert_eq!(spans.len(), 2, "{spans:?}");
    let codes: Vec<_> = spans.iter().map(|span| attribute(span, "rpc.grpc.status_code")).collect();
    assert_eq!(codes, [Value::IntValue(0), Value::IntValue(3)]);
    for span in &spans {
        assert_eq!(span.name, "jianbao.v1.ExtractReportService/ExtractReport");
        assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
        assert_eq!(attribute(span, "rpc.method"), Value::StringValue("ExtractReport".to_owned()));
        assert!(span.end_time_unix_nano > span.start_time_unix_nano);
    }
}

fn attribute(span: &Span, key: &str) -> Value {
    span.attributes.iter().find(|attribute| attribute.key == key).unwrap().value.clone().unwrap().value.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_a_collector_that_is_not_there_harms_nobody() {
    let program = Program::start(&["--otlp-endpoint", "http://127.0.0.1:9"]);
    let mut client = program.client().await;
    for n in 0..50 {
        client.extract_report(request(&n.to_string(), "清河农商银行发放贷款3亿元。")).await.unwrap();
    }
    assert_eq!(audited(&program)["trace_id"].as_str().unwrap().len(), 32, "a trace of its own");
    let mut program = program;
    program.terminate();
    assert!(program.child.wait().unwrap().success());
}
