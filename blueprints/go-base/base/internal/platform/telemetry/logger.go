package telemetry

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// NewLogger writes JSON lines of the given level and above. A line that is
// logged with the context of a trace carries its ids.
func NewLogger(output io.Writer, level slog.Level, service string) *slog.Logger {
	handler := slog.NewJSONHandler(output, &slog.HandlerOptions{Level: level})

	return slog.New(tracing{handler}).With(slog.String("service", service))
}

// tracing adds the ids of the current trace to every line.
type tracing struct {
	slog.Handler
}

func (t tracing) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(
			slog.String("trace_id", span.TraceID().String()),
			slog.String("span_id", span.SpanID().String()))
	}

	return t.Handler.Handle(ctx, record) //nolint:wrapcheck // A decorator adds nothing to the error.
}

func (t tracing) WithAttrs(attributes []slog.Attr) slog.Handler {
	return tracing{t.Handler.WithAttrs(attributes)}
}

func (t tracing) WithGroup(name string) slog.Handler {
	return tracing{t.Handler.WithGroup(name)}
}
