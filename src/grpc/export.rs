//! The metrics over OTLP: what the page of metrics says, as the collector's own messages, again and again.

use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use super::admin::Admin;

/// Time for one export.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends the metrics to a collector at each interval, and once more when told to end.
///
/// # Errors
/// When the endpoint is no address.
pub fn exporter(
    endpoint: &str,
    interval: Duration,
    admin: Admin,
    ending: CancellationToken,
) -> Result<impl Future<Output = ()> + Send + use<>, tonic::transport::Error> {
    let channel = Endpoint::from_shared(endpoint.to_owned())?.timeout(PATIENCE).connect_timeout(PATIENCE).connect_lazy();
    Ok(run(MetricsServiceClient::new(channel), interval, admin, ending))
}

async fn run(mut collector: MetricsServiceClient<Channel>, interval: Duration, admin: Admin, ending: CancellationToken) {
    let began = now();
    let mut failing = false;
    while !ending.is_cancelled() {
        tokio::select! {
            () = ending.cancelled() => {}
            () = tokio::time::sleep(interval) => {}
        }
        let sent = collector.export(request(&admin.metrics_page(), began, now())).await;
        // One line when it begins to fail, and no more until it has been well again.
        if let Err(status) = &sent
            && !failing
        {
            tracing::warn!(code = ?status.code(), "the collector does not take the metrics");
        }
        failing = sent.is_err();
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

/// One line of the page: a name, its labels, and a number.
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    number: &'a str,
}

/// A line, unless it is a comment. No label of this program has a quotation mark or a comma in it.
fn sample(line: &str) -> Option<Sample<'_>> {
    let (head, number) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))?;
    let (name, labels) = head.split_once('{').unwrap_or((head, ""));
    let labels = labels.trim_end_matches('}').split(',').filter_map(|label| label.split_once('='));
    Some(Sample { name, labels: labels.map(|(key, value)| (key, value.trim_matches('"'))).collect(), number })
}

/// The page as a request.
fn request(page: &str, began: u64, now: u64) -> ExportMetricsServiceRequest {
    let mut metrics: Vec<Metric> = Vec::new();
    let mut help = "";
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            metrics.extend(data(kind).map(|data| Metric {
                name: name.to_owned(),
                description: help.to_owned(),
                data: Some(data),
                ..Metric::default()
            }));
        } else if let (Some(metric), Some(sample)) = (metrics.last_mut(), sample(line))
            && let Some(part) = sample.name.strip_prefix(metric.name.as_str())
        {
            add(metric, part, &sample, began, now);
        }
    }
    let resource = Resource { attributes: vec![attribute("service.name", "jianbao")], ..Resource::default() };
    let scope = InstrumentationScope { name: "jianbao".to_owned(), ..InstrumentationScope::default() };
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { resource: Some(resource), scope_metrics, ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }
}

fn data(kind: &str) -> Option<Data> {
    let temporality = AggregationTemporality::Cumulative.into();
    match kind {
        "counter" => Some(Data::Sum(Sum { aggregation_temporality: temporality, is_monotonic: true, ..Sum::default() })),
        "gauge" => Some(Data::Gauge(Gauge::default())),
        "histogram" => Some(Data::Histogram(Histogram { aggregation_temporality: temporality, ..Histogram::default() })),
        _ => None,
    }
}

fn add(metric: &mut Metric, part: &str, sample: &Sample<'_>, began: u64, now: u64) {
    let attributes = || sample.labels.iter().filter(|(key, _)| *key != "le").map(|(key, value)| attribute(key, value)).collect::<Vec<_>>();
    let point = || NumberDataPoint {
        attributes: attributes(),
        start_time_unix_nano: began,
        time_unix_nano: now,
        value: sample.number.parse().ok().map(Number::AsInt),
        ..NumberDataPoint::default()
    };
    match (&mut metric.data, part) {
        (Some(Data::Sum(sum)), "_total") => sum.data_points.push(point()),
        (Some(Data::Gauge(gauge)), "") => gauge.data_points.push(point()),
        (Some(Data::Histogram(histogram)), _) => {
            let attributes = attributes();
            let points = &mut histogram.data_points;
            if points.last().is_none_or(|point| point.attributes != attributes) {
                points.push(HistogramDataPoint {
                    attributes,
                    start_time_unix_nano: began,
                    time_unix_nano: now,
                    ..HistogramDataPoint::default()
                });
            }
            if let Some(point) = points.last_mut() {
                add_to_histogram(point, part, sample);
            }
        }
        _ => {}
    }
}

fn add_to_histogram(point: &mut HistogramDataPoint, part: &str, sample: &Sample<'_>) {
    match part {
        "_sum" => point.sum = sample.number.parse().ok(),
        "_count" => point.count = sample.number.parse().unwrap_or_default(),
        "_bucket" => {
            // The page counts all up to a bound, the collector those between two.
            let up_to: u64 = sample.number.parse().unwrap_or_default();
            let before: u64 = point.bucket_counts.iter().sum();
            point.bucket_counts.push(up_to.saturating_sub(before));
            let bound = sample.labels.iter().find(|(key, bound)| *key == "le" && *bound != "+Inf");
            if let Some(bound) = bound.and_then(|(_, bound)| bound.parse().ok()) {
                point.explicit_bounds.push(bound);
            }
        }
        _ => {}
    }
}
