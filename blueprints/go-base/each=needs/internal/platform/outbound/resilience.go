//nolint:bodyclose // Policies look at answers whose bodies belong to the caller.
package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// maxDiscarded is how much of an answer that is not wanted is read, to use its connection again.
const maxDiscarded = 64 << 10

func newBudget(policy RetryPolicy) budget.Budget {
	return budget.NewBuilder().
		WithMaxRate(policy.BudgetShare).
		WithMinConcurrency(policy.BudgetFloor).
		Build()
}

// retrying is how failures are met that a condition says are worth another try.
type retrying struct {
	policy    RetryPolicy
	condition func(response *http.Response, err error) bool
	allowance budget.Budget
	measured  *metrics
}

func (r retrying) build() retrypolicy.RetryPolicy[*http.Response] {
	return retrypolicy.NewBuilder[*http.Response]().
		HandleIf(r.condition).
		WithMaxRetries(r.policy.Max).
		WithDelayFunc(r.policy.delay).
		WithBudget(r.allowance).
		ReturnLastFailure().
		OnRetryScheduled(func(event failsafe.ExecutionScheduledEvent[*http.Response]) {
			discard(event.LastResult())
		}).
		OnRetry(func(failsafe.ExecutionEvent[*http.Response]) { r.measured.retries.Inc() }).
		Build()
}

// worthAnother reports a failure that may be gone at the next try. An answer of 500 is not one: it
// speaks of a fault, not of an outage.
func (p RetryPolicy) worthAnother(response *http.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, circuitbreaker.ErrOpen) && !hopeless(err)
	}

	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return retryAfter(response) <= p.WaitLimit
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// neverLeft reports a request of which the other side has seen nothing: no connection came about.
func neverLeft(_ *http.Response, err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)

	return ok && operation.Op == "dial" && !hopeless(err)
}

// delay is what the answer asks for, else at least half of what has doubled with each retry.
func (p RetryPolicy) delay(attempt failsafe.ExecutionAttempt[*http.Response]) time.Duration {
	delay := p.Delay
	for retry := 0; retry < attempt.Retries() && delay < p.DelayLimit; retry++ {
		delay *= 2
	}

	half := min(delay, p.DelayLimit) / 2 //nolint:mnd // A half.
	spread := half + rand.N(half+1)      //nolint:gosec // A delay needs no secrecy.

	return max(spread, retryAfter(attempt.LastResult()))
}

// retryAfter is the wait that an answer asks for, in seconds; a date counts for nothing.
func retryAfter(response *http.Response) time.Duration {
	if response == nil {
		return 0
	}

	seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}

	return time.Duration(seconds) * time.Second
}

func newBreaker(policy BreakerPolicy, measured *metrics) circuitbreaker.CircuitBreaker[*http.Response] {
	return circuitbreaker.NewBuilder[*http.Response]().
		HandleIf(outage).
		WithFailureRateThreshold(policy.FailureShare, policy.MinCalls, policy.Window).
		WithDelay(policy.OpenFor).
		WithSuccessThreshold(policy.Probes).
		OnStateChanged(func(event circuitbreaker.StateChangedEvent) { measured.breaker(event.NewState) }).
		Build()
}

// outage reports a failure of the other side. What the caller gave up is none, nor is an answer
// that blames the request.
func outage(response *http.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, context.Canceled)
	}

	return response.StatusCode >= http.StatusInternalServerError &&
		response.StatusCode != http.StatusNotImplemented
}

// hopeless reports an error that stays the same however often the call is repeated.
func hopeless(err error) bool {
	var certificate *tls.CertificateVerificationError

	return errors.As(err, &certificate) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// discard gives back the connection of an answer that nobody will read.
func discard(response *http.Response) {
	if response == nil {
		return
	}

	// What fails here costs a connection and nothing else.
	_, _ = io.CopyN(io.Discard, response.Body, maxDiscarded)
	_ = response.Body.Close()
}
