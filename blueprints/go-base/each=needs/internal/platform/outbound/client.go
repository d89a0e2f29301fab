package outbound

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// IdempotencyKey is the header that makes any request safe to repeat.
const IdempotencyKey = "Idempotency-Key"

const (
	dialTimeout           = time.Second
	keepAlive             = 30 * time.Second
	idleConnectionTimeout = 90 * time.Second
	maxHeaderBytes        = 64 << 10
)

// Options describe the client of one service.
type Options struct {
	// Peer is the name of the service, as metrics show it.
	Peer   string
	Policy Policy

	Metrics    prometheus.Registerer
	Traces     trace.TracerProvider
	Propagator propagation.TextMapPropagator
}

// Client calls one service.
type Client struct {
	*http.Client

	peer    string
	breaker circuitbreaker.CircuitBreaker[*http.Response]
}

// NewClient returns a client whose pool of connections, breaker and limits are its own, so that a
// service in trouble takes nothing from the calls to others.
//
//nolint:bodyclose // It sends nothing.
func NewClient(options Options) (*Client, error) {
	measured, err := newMetrics(options.Peer, options.Metrics)
	if err != nil {
		return nil, err
	}

	breaker := newBreaker(options.Policy.Breaker, measured)
	limit := bulkhead.New[*http.Response](options.Policy.MaxConcurrent)
	retry := retrying{
		policy:    options.Policy.Retry,
		condition: options.Policy.Retry.worthAnother,
		allowance: newBudget(options.Policy.Retry),
		measured:  measured,
	}
	retryUnsent := retry
	retryUnsent.condition = neverLeft
	try := timeout.New[*http.Response](options.Policy.TryTimeout)
	connection := measured.observe(newTransport(options))

	return &Client{
		Client: &http.Client{
			Timeout:       options.Policy.Deadline,
			CheckRedirect: keepRedirect,
			Transport: &transport{
				repeatable:  failsafehttp.NewRoundTripper(connection, limit, retry.build(), breaker, try),
				once:        failsafehttp.NewRoundTripper(connection, limit, retryUnsent.build(), breaker, try),
				maxResponse: options.Policy.MaxResponse,
				metrics:     measured,
			},
		},
		peer:    options.Peer,
		breaker: breaker,
	}, nil
}

// Err reports an open breaker, for the report on dependencies.
func (c *Client) Err() error {
	if c.breaker.IsOpen() {
		return fmt.Errorf("calls to %s: %w for %s",
			c.peer, circuitbreaker.ErrOpen, c.breaker.RemainingDelay().Round(time.Millisecond))
	}

	return nil
}

// keepRedirect gives a redirect back to the caller: services do not send each other elsewhere.
func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// transport chooses the policies by what may happen to a request.
type transport struct {
	repeatable  http.RoundTripper
	once        http.RoundTripper
	maxResponse int64
	metrics     *metrics
}

func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	next := t.once
	if repeatable(request) {
		next = t.repeatable
	}

	response, err := next.RoundTrip(request)
	if err != nil {
		t.metrics.refusal(err)

		return nil, err //nolint:wrapcheck // http.Client adds the method and the address.
	}

	response.Body = http.MaxBytesReader(nil, response.Body, t.maxResponse)

	return response, nil
}

// repeatable reports whether the effect of a request is the same when it arrives twice.
func repeatable(request *http.Request) bool {
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	default:
		return strings.TrimSpace(request.Header.Get(IdempotencyKey)) != ""
	}
}
