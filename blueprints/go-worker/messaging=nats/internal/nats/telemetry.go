package nats

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Telemetry measures consumers and continues the traces of publishers.
type Telemetry struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	duration   *prometheus.HistogramVec
	pending    *prometheus.GaugeVec
}

// TelemetryOptions are where the consumers of the service report to.
type TelemetryOptions struct {
	Metrics    prometheus.Registerer
	Traces     trace.TracerProvider
	Propagator propagation.TextMapPropagator
}

// NewTelemetry registers the metrics that all consumers of the service share.
func NewTelemetry(options TelemetryOptions) (*Telemetry, error) {
	created := &Telemetry{
		tracer:     options.Traces.Tracer("events"),
		propagator: options.Propagator,
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "events_settled_duration_seconds",
			Help:    "Time from receiving a message to settling it, by how that ended.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}, []string{"subject", "outcome"}),
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "events_pending",
			Help: "Messages that had not been delivered yet when this process last received one.",
		}, []string{"subject"}),
	}

	for _, collector := range []prometheus.Collector{created.duration, created.pending} {
		if err := options.Metrics.Register(collector); err != nil {
			return nil, fmt.Errorf("metrics of events: %w", err)
		}
	}

	return created, nil
}

// start continues the trace that the message carries.
func (t *Telemetry) start(
	ctx context.Context, subscription Subscription, msg jetstream.Msg,
) (context.Context, trace.Span) {
	ctx = t.propagator.Extract(ctx, headerCarrier(msg.Headers()))

	return t.tracer.Start(ctx, "process "+subscription.Subject,
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.name", subscription.Subject),
			attribute.String("messaging.consumer.group.name", subscription.Durable),
			attribute.String("messaging.message.id", msg.Headers().Get(headerID)),
		))
}

func (t *Telemetry) settled(subscription Subscription, ended outcome, took time.Duration) {
	t.duration.WithLabelValues(subscription.Subject, string(ended)).Observe(took.Seconds())
}

func (t *Telemetry) left(subscription Subscription, pending uint64) {
	t.pending.WithLabelValues(subscription.Subject).Set(float64(pending))
}

func recordError(span trace.Span, err error) {
	if err == nil {
		return
	}

	span.RecordError(err)
	span.SetStatus(codes.Error, reason(err))
}

// headerCarrier reads a trace from headers, whose names NATS takes as they are written.
type headerCarrier nats.Header

func (h headerCarrier) Get(name string) string { return nats.Header(h).Get(name) }

func (h headerCarrier) Set(name, value string) { nats.Header(h).Set(name, value) }

func (h headerCarrier) Keys() []string { return slices.Collect(maps.Keys(h)) }
