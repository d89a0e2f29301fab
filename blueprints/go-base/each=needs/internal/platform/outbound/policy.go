// Package outbound makes calls to other services that survive the failures of those services and
// do not add to them.
package outbound

import "time"

// Policy bounds the calls to one service.
type Policy struct {
	// Deadline bounds a call from its start to the last byte of the answer, retries included.
	Deadline time.Duration

	// TryTimeout bounds the wait for the head of one answer.
	TryTimeout time.Duration

	// MaxConcurrent is how many calls may run at the same time; more are refused at once.
	MaxConcurrent uint

	// MaxResponse is how many bytes of an answer are read.
	MaxResponse int64

	Retry   RetryPolicy
	Breaker BreakerPolicy
}

// RetryPolicy says how requests that may safely be repeated are repeated. A request that never left,
// because no connection came about, may be whatever it is.
type RetryPolicy struct {
	// Max is how often a request is repeated.
	Max int

	// Delay doubles with each retry up to DelayLimit, and is spread at random.
	Delay      time.Duration
	DelayLimit time.Duration

	// WaitLimit is the longest wait that an answer may ask for; beyond it the caller is told at once.
	WaitLimit time.Duration

	// BudgetShare of the running calls may be retries, so that an outage is not answered with
	// a multiple of the usual load. BudgetFloor retries may always run at the same time.
	BudgetShare float64
	BudgetFloor uint
}

// BreakerPolicy says when calls are not even tried.
type BreakerPolicy struct {
	// FailureShare of at least MinCalls tries within Window opens the breaker.
	FailureShare float64
	MinCalls     uint
	Window       time.Duration

	// OpenFor is how long it stays open before Probes calls are let through to try.
	OpenFor time.Duration
	Probes  uint
}

// DefaultPolicy suits calls that take milliseconds and whose caller waits for them. Its retries last
// about as long as it takes until a service that was just started, or has just moved, is reached.
func DefaultPolicy() Policy {
	return Policy{
		Deadline:      3 * time.Second,
		TryTimeout:    time.Second,
		MaxConcurrent: 64,
		MaxResponse:   1 << 20,
		Retry: RetryPolicy{
			Max:         4,
			Delay:       100 * time.Millisecond,
			DelayLimit:  500 * time.Millisecond,
			WaitLimit:   time.Second,
			BudgetShare: 0.2,
			BudgetFloor: 3,
		},
		Breaker: BreakerPolicy{
			FailureShare: 0.5,
			MinCalls:     20,
			Window:       10 * time.Second,
			OpenFor:      5 * time.Second,
			Probes:       2,
		},
	}
}
