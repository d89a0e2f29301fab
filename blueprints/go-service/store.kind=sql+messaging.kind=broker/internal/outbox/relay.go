package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

const (
	batchSize      = 100
	batchTimeout   = 15 * time.Second
	longestPause   = 5 * time.Second
	upkeepInterval = 15 * time.Second
	forgetBatch    = 1000

	// batchSpan is how long events of a batch are begun. The rest of its time is for the last one
	// and for recording what was published: without that, all of it is published again.
	batchSpan = batchTimeout / 2
)

var errBatchOver = errors.New("the time of the batch is over")

// Settings of the relay.
type Settings struct {
	// PollInterval is how long an event may wait before it is noticed.
	PollInterval time.Duration `env:"OUTBOX_POLL_INTERVAL" envDefault:"200ms"`

	// Retention is how long published events are kept for inspection.
	Retention time.Duration `env:"OUTBOX_RETENTION" envDefault:"24h"`
}

// Validate reports times that make no sense.
func (s Settings) Validate() error {
	var problems []error

	if s.PollInterval <= 0 {
		problems = append(problems, errors.New("OUTBOX_POLL_INTERVAL: must be positive"))
	}

	if s.Retention <= 0 {
		problems = append(problems, errors.New("OUTBOX_RETENTION: must be positive"))
	}

	return errors.Join(problems...)
}

// Relay publishes what the queue holds.
type Relay struct {
	settings  Settings
	queue     Queue
	publisher Publisher
	logger    *slog.Logger
	metrics   metrics
}

type metrics struct {
	published prometheus.Counter
	failures  prometheus.Counter
	pending   prometheus.Gauge
	age       prometheus.Gauge
}

// Ports are what a Relay stands between.
type Ports struct {
	Queue     Queue
	Publisher Publisher
	Logger    *slog.Logger
	Metrics   prometheus.Registerer
}

// NewRelay returns a Relay from the queue to the publisher.
func NewRelay(settings Settings, ports Ports) (*Relay, error) {
	metrics, err := newMetrics(ports.Metrics)
	if err != nil {
		return nil, err
	}

	return &Relay{
		settings:  settings,
		queue:     ports.Queue,
		publisher: ports.Publisher,
		logger:    ports.Logger,
		metrics:   metrics,
	}, nil
}

func newMetrics(registry prometheus.Registerer) (metrics, error) {
	created := metrics{
		published: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outbox_events_published_total", Help: "Events that the broker keeps.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outbox_publish_failures_total", Help: "Attempts to publish that failed.",
		}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "outbox_pending_events", Help: "Events that wait to be published.",
		}),
		age: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "outbox_oldest_pending_seconds", Help: "Age of the oldest event that waits.",
		}),
	}

	for _, collector := range []prometheus.Collector{
		created.published, created.failures, created.pending, created.age,
	} {
		if err := registry.Register(collector); err != nil {
			return metrics{}, fmt.Errorf("metrics of the outbox: %w", err)
		}
	}

	return created, nil
}

// Run publishes until the context ends. What goes wrong is tried again.
func (r *Relay) Run(ctx context.Context) error {
	var loops errgroup.Group

	loops.Go(func() error { return r.publish(ctx) })
	loops.Go(func() error { return r.upkeep(ctx) })

	return loops.Wait() //nolint:wrapcheck // It is the error of a method of ours.
}

func (r *Relay) publish(ctx context.Context) error {
	pause := r.settings.PollInterval

	for {
		switch count, err := r.drain(ctx); {
		case ctx.Err() != nil && errors.Is(err, ctx.Err()):
			return nil
		case errors.Is(err, errBatchOver) && count > 0:
			continue
		case err != nil:
			r.logger.WarnContext(ctx, "events are not published", slog.Any("error", err))

			pause = min(2*pause, longestPause)
		case count == batchSize:
			continue
		default:
			pause = r.settings.PollInterval
		}

		if !sleep(ctx, pause) {
			return nil
		}
	}
}

// drain finishes what it has begun even when the context ends, within bounds.
func (r *Relay) drain(ctx context.Context) (int, error) {
	batch, cancel := context.WithTimeout(context.WithoutCancel(ctx), batchTimeout)
	defer cancel()

	over := time.Now().Add(batchSpan)

	count, err := r.queue.Drain(batch, batchSize, func(batch context.Context, event Event) error {
		if err := ctx.Err(); err != nil {
			return err //nolint:wrapcheck // It ends the batch before this event was begun.
		}

		if time.Now().After(over) {
			return errBatchOver
		}

		return r.publishOne(batch, event)
	})

	r.metrics.published.Add(float64(count))

	return count, err
}

func (r *Relay) publishOne(ctx context.Context, event Event) error {
	if err := r.publisher.Publish(ctx, event); err != nil {
		r.metrics.failures.Inc()

		return fmt.Errorf("publish %s: %w", event.ID, err)
	}

	return nil
}

// upkeep measures the backlog and removes what was kept long enough.
func (r *Relay) upkeep(ctx context.Context) error {
	for {
		if err := errors.Join(r.measure(ctx), r.forget(ctx)); err != nil && ctx.Err() == nil {
			r.logger.WarnContext(ctx, "upkeep of the outbox", slog.Any("error", err))
		}

		if !sleep(ctx, upkeepInterval) {
			return nil
		}
	}
}

func (r *Relay) measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upkeepInterval)
	defer cancel()

	backlog, err := r.queue.Backlog(ctx)
	if err != nil {
		return err
	}

	r.metrics.pending.Set(float64(backlog.Events))
	r.metrics.age.Set(backlog.Age.Seconds())

	return nil
}

// forget removes in small steps, each of which locks little.
func (r *Relay) forget(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upkeepInterval)
	defer cancel()

	before := time.Now().Add(-r.settings.Retention)

	for {
		forgotten, err := r.queue.Forget(ctx, before, forgetBatch)
		if err != nil || forgotten < forgetBatch {
			return err
		}
	}
}

// sleep returns false when the context ended meanwhile.
func sleep(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
	case <-time.After(pause/2 + rand.N(pause/2+1)): //nolint:gosec // Nothing secret depends on it.
	}

	return ctx.Err() == nil
}
