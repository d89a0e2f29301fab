package nats

import (
	"context"
	"math/rand/v2"
	"time"
)

// Subscription names what a consumer reads, and where it leaves what can never be handled.
type Subscription struct {
	Stream  string
	Subject string
	Durable string

	// DeadLetterStream keeps DeadLetterSubjects; DeadLetterSubject is the one of these messages.
	DeadLetterStream   string
	DeadLetterSubjects string
	DeadLetterSubject  string
}

// Limits bound the work of a consumer.
type Limits struct {
	// Concurrency is how many messages are in hand at the same time. Their order is not kept.
	Concurrency int

	// HandlerTimeout bounds one call of the handler. It is shorter than the time to shut down.
	HandlerTimeout time.Duration

	// AckWait is how long the broker waits for a sign of life before it delivers again.
	AckWait time.Duration

	// BrokerTimeout bounds each request to the broker.
	BrokerTimeout time.Duration

	// MaxFailures is how often the handler may fail with a message until it is dead-lettered. Each
	// process counts for itself.
	MaxFailures uint64

	// MaxFailing is of how many messages failures are counted at the same time.
	MaxFailing int

	// MaxDeliveries is how often a message is delivered. A failure with the last one makes a dead
	// letter: with many processes, none of which has counted enough, ordinary failures end here. What
	// is delivered once more seems to end the processes that try, and is dead-lettered untried. There is
	// room for processes that were told to stop, and for outages of the broker.
	MaxDeliveries uint64

	// Retry spaces the deliveries of a message that fails.
	Retry Backoff

	// Reconnect spaces what is tried again until an outage has passed.
	Reconnect Backoff
}

// DefaultLimits suit handlers that take milliseconds. They leave nine minutes at least, and longer with
// more processes, for what fails to be mended before there are dead letters.
func DefaultLimits() Limits {
	return Limits{
		Concurrency:    8,
		HandlerTimeout: 10 * time.Second,
		AckWait:        10 * time.Second,
		BrokerTimeout:  5 * time.Second,
		MaxFailures:    12,
		MaxFailing:     10_000,
		MaxDeliveries:  50,
		Retry:          Backoff{Base: time.Second, Limit: 5 * time.Minute},
		Reconnect:      Backoff{Base: 100 * time.Millisecond, Limit: 2 * time.Second},
	}
}

// Backoff doubles a delay from Base up to Limit and spreads it, so that what failed together is
// not tried again together.
type Backoff struct {
	Base  time.Duration
	Limit time.Duration
}

// After returns the delay that follows so many failures: at least half of the doubled one, and
// never more than Limit.
func (b Backoff) After(failures uint64) time.Duration {
	delay := b.Base
	for doubled := uint64(1); doubled < failures && delay < b.Limit; doubled++ {
		delay *= 2
	}

	half := min(delay, b.Limit) / 2 //nolint:mnd // A half.

	return half + rand.N(half+1) //nolint:gosec // A delay needs no secrecy.
}

// pause reports whether the delay passed before the context ended.
func pause(ctx context.Context, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()

	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
