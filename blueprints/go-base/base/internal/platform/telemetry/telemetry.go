// Package telemetry makes the logs, metrics and traces of the process.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// Settings of telemetry.
type Settings struct {
	// Level below which no log line is written.
	Level slog.Level `env:"LOG_LEVEL" envDefault:"info"`

	// Endpoint of the collector; without one, no trace is exported.
	Endpoint string `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`

	// Service is the name that logs and traces bear instead of the service's own.
	Service string `env:"OTEL_SERVICE_NAME"`
}

// Validate reports an endpoint that is no URL.
func (s Settings) Validate() error {
	if s.Endpoint == "" {
		return nil
	}

	endpoint, err := url.Parse(s.Endpoint)
	if err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == "" {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %q is no http or https URL", s.Endpoint)
	}

	return nil
}

// Telemetry is handed to what reports.
type Telemetry struct {
	Logger     *slog.Logger
	Metrics    *prometheus.Registry
	Traces     trace.TracerProvider
	Propagator propagation.TextMapPropagator

	provider *sdktrace.TracerProvider
}

// Start never waits for the collector: spans that cannot be sent are dropped.
// The service's name is used where the settings have none.
func Start(ctx context.Context, settings Settings, service string, output io.Writer) (*Telemetry, error) {
	if settings.Service != "" {
		service = settings.Service
	}

	provider, err := newProvider(ctx, settings.Endpoint, service)
	if err != nil {
		return nil, err
	}

	metrics := prometheus.NewRegistry()
	metrics.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector())

	return &Telemetry{
		Logger:     NewLogger(output, settings.Level, service),
		Metrics:    metrics,
		Traces:     provider,
		Propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
		provider:   provider,
	}, nil
}

// Shutdown sends the spans that are left.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("flush traces: %w", err)
	}

	return nil
}

// newProvider makes traces with ids even where nobody collects them.
func newProvider(ctx context.Context, endpoint, service string) (*sdktrace.TracerProvider, error) {
	if endpoint == "" {
		return sdktrace.NewTracerProvider(), nil
	}

	target, err := url.JoinPath(endpoint, "v1", "traces")
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}

	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(target))
	if err != nil {
		return nil, fmt.Errorf("trace exporter: %w", err)
	}

	attributes := resource.NewSchemaless(semconv.ServiceName(service))

	return sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(attributes)), nil
}
