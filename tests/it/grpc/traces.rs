//! L6: spans of calls and metrics over OTLP, from the caller's context to the log line.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{MetricsService, MetricsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

use super::life::Program;
use super::operate::audited;
use super::{LONG, hex, pb, request};

/// A collector in this process, which hands on what it is sent.
struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let _ = self.0.send(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// What a collector is sent of metrics.
struct Meter(mpsc::UnboundedSender<ExportMetricsServiceRequest>);

#[tonic::async_trait]
impl MetricsService for Meter {
    async fn export(&self, request: Request<ExportMetricsServiceRequest>) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let _ = self.0.send(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_metrics_go_to_the_collector_with_their_labels_and_buckets() {
    let incoming = tonic::transport::server::TcpIncoming::from(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = incoming.local_addr().unwrap();
    let (sender, mut received) = mpsc::unbounded_channel();
    tokio::spawn(tonic::transport::Server::builder().add_service(MetricsServiceServer::new(Meter(sender))).serve_with_incoming(incoming));
    let program = Program::start(&["--otlp-endpoint", &format!("http://{address}"), "--otlp-interval", "1h"]);
    let mut client = program.client().await;
    for id in ["a", "b", "c"] {
        client.extract_report(request(id, "清河农商银行发放贷款3亿元。")).await.unwrap();
    }
    client.extract_report(request("bad", "")).await.unwrap_err();
    program.terminate();
    let request = tokio::time::timeout(LONG, received.recv()).await.expect("the metrics come at the latest with the end").unwrap();
    let metrics = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics).flat_map(|scope| scope.metrics);
    let metrics: std::collections::BTreeMap<_, _> = metrics.map(|metric| (metric.name, metric.data.unwrap())).collect();
    let Data::Sum(handled) = &metrics["grpc_server_handled"] else { panic!("a counter") };
    let mut by_code: Vec<_> = handled
        .data_points
        .iter()
        .map(|point| {
            let code = point.attributes.iter().find(|attribute| attribute.key == "grpc_code").unwrap().value.clone().unwrap().value;
            (format!("{:?}", code.unwrap()), point.value.unwrap())
        })
        .collect();
    by_code.sort_by(|a, b| a.0.cmp(&b.0));
    let wanted = [("StringValue(\"InvalidArgument\")", 1), ("StringValue(\"OK\")", 3)];
    assert_eq!(by_code, wanted.map(|(code, count)| (code.to_owned(), Number::AsInt(count))));
    let Data::Histogram(reading) = &metrics["jianbao_reading_seconds"] else { panic!("a histogram") };
    let point = &reading.data_points[0];
    assert_eq!((point.count, point.bucket_counts.iter().sum::<u64>()), (3, 3));
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    let Data::Gauge(threads) = &metrics["jianbao_threads"] else { panic!("a gauge") };
    assert!(matches!(threads.data_points[0].value, Some(Number::AsInt(1..))));
}

async fn collector() -> (SocketAddr, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, received) = mpsc::unbounded_channel();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    tokio::spawn(tonic::transport::Server::builder().add_service(TraceServiceServer::new(Collector(sender))).serve_with_incoming(incoming));
    (address, received)
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
