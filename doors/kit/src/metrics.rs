//! Counters for Prometheus.

use std::fmt::Write as _;

use async_trait::async_trait;
use handel_domain::{Code, event::Event};
use handel_engine::{Engine, Error};
use handel_ports::{EventSubscriber, PublishedEvent};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Everything that is counted. Labels are few and bounded: routes are templates, never addresses.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram>,
    refusals: Family<CodeLabels, Counter>,
    events: Family<EventLabels, Counter>,
    outbox_waiting: Gauge,
    outbox_lag_ms: Gauge,
    jobs_queued: Gauge,
    jobs_dead: Gauge,
    jobs_lag_ms: Gauge,
    news_waiting: Gauge,
    news_dead: Gauge,
    news_lag_ms: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: String,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    name: String,
}

/// Bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("handel"),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            refusals: Family::default(),
            events: Family::default(),
            outbox_waiting: Gauge::default(),
            outbox_lag_ms: Gauge::default(),
            jobs_queued: Gauge::default(),
            jobs_dead: Gauge::default(),
            jobs_lag_ms: Gauge::default(),
            news_waiting: Gauge::default(),
            news_dead: Gauge::default(),
            news_lag_ms: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "http_requests",
            "Requests by method, route and status",
            self.requests.clone(),
        );
        registry.register("http_request_seconds", "How long requests took", self.latency.clone());
        registry.register("refusals", "Refusals by code", self.refusals.clone());
        registry.register(
            "events",
            "Domain events that this process delivered, by name",
            self.events.clone(),
        );
        registry.register(
            "outbox_waiting",
            "Events that wait for delivery",
            self.outbox_waiting.clone(),
        );
        registry.register(
            "outbox_lag_milliseconds",
            "Age of the oldest such event",
            self.outbox_lag_ms.clone(),
        );
        registry.register("jobs_queued", "Jobs that wait or run", self.jobs_queued.clone());
        registry.register("jobs_dead", "Jobs that failed for good", self.jobs_dead.clone());
        registry.register(
            "jobs_lag_milliseconds",
            "How long the oldest job has been due",
            self.jobs_lag_ms.clone(),
        );
        self.register_news();
    }

    fn register_news(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "webhooks_waiting",
            "Messages about orders that wait for their receiver",
            self.news_waiting.clone(),
        );
        registry.register(
            "webhooks_dead",
            "Messages about orders that were given up",
            self.news_dead.clone(),
        );
        registry.register(
            "webhooks_lag_milliseconds",
            "Age of the message about an order that is due next",
            self.news_lag_ms.clone(),
        );
    }

    pub(crate) fn request(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: SignedDuration,
        refused: Option<Code>,
    ) {
        let (method, route) = (known(method).to_owned(), route.to_owned());
        let labels = RequestLabels {
            method: method.clone(),
            route: route.clone(),
            status: status.as_u16().into(),
        };
        self.requests.get_or_create(&labels).inc();
        self.latency
            .get_or_create(&RouteLabels { method, route })
            .observe(took.as_secs_f64().max(0.0));
        if let Some(code) = refused {
            self.refusals.get_or_create(&CodeLabels { code: code.to_string() }).inc();
        }
    }

    /// The text that Prometheus reads.
    pub(crate) async fn render(&self, engine: &Engine) -> Result<String, Error> {
        let (outbox, jobs) = (engine.outbox_stats().await?, engine.job_stats().await?);
        self.outbox_waiting.set(outbox.waiting);
        self.outbox_lag_ms.set(outbox.oldest_ms);
        self.jobs_queued.set(jobs.queued);
        self.jobs_dead.set(jobs.dead);
        self.jobs_lag_ms.set(jobs.oldest_ms);
        let news = engine.delivery_stats().await?;
        self.news_waiting.set(news.waiting);
        self.news_dead.set(news.dead);
        self.news_lag_ms.set(news.oldest_ms);
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // Writing to a string does not fail; a metric that cannot be written is said so.
            let _infallible = writeln!(text, "# EOF");
        }
        Ok(text)
    }
}

/// A client may invent methods without end.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => method.as_str(),
        _ => "other",
    }
}

#[async_trait]
impl EventSubscriber for Metrics {
    fn name(&self) -> &'static str {
        "metrics"
    }

    async fn receive(&self, event: &PublishedEvent) -> Result<(), String> {
        let name = Event::name(&event.event).to_owned();
        self.events.get_or_create(&EventLabels { name }).inc();
        Ok(())
    }
}
