// Package outbox publishes the events that were recorded together with what they tell of.
package outbox

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/propagation"
)

// traceparent is the header of the W3C trace context.
const traceparent = "traceparent"

// Event is something that happened.
type Event struct {
	// ID is given by the queue when the event is recorded.
	ID string
	// Subject says where it is published and what type it is of.
	Subject    string
	Payload    []byte
	OccurredAt time.Time
	// Traceparent ties what the event causes to what caused the event.
	Traceparent string
}

// Traceparent returns the context's trace in the form in which events carry it.
func Traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)

	return carrier.Get(traceparent)
}

// Publisher hands an event to the broker and returns when the broker keeps it.
type Publisher interface {
	Publish(ctx context.Context, event Event) error
}

// Backlog is what waits to be published.
type Backlog struct {
	Events int64
	// Age of the oldest one.
	Age time.Duration
}

// Queue holds the recorded events.
type Queue interface {
	// Drain lends at most limit pending events, in order, to one process at a
	// time. It goes on to the next one only when publish has succeeded, and
	// returns how many did.
	Drain(ctx context.Context, limit int, publish func(context.Context, Event) error) (int, error)
	// Backlog measures what is pending.
	Backlog(ctx context.Context) (Backlog, error)
	// Forget removes at most limit events that were published before the given
	// time, and returns how many.
	Forget(ctx context.Context, before time.Time, limit int) (int, error)
}
