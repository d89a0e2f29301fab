package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	tries        *prometheus.HistogramVec
	retries      prometheus.Counter
	refused      *prometheus.CounterVec
	breakerState prometheus.Gauge
}

func newMetrics(peer string, registerer prometheus.Registerer) (*metrics, error) {
	labels := prometheus.Labels{"peer": peer}
	measured := &metrics{
		tries: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:        "outbound_try_duration_seconds",
			Help:        "Time until the head of an answer, by status code.",
			ConstLabels: labels,
			Buckets:     []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5},
		}, []string{"method", "code"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name:        "outbound_retries_total",
			Help:        "Requests that were repeated.",
			ConstLabels: labels,
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name:        "outbound_refused_total",
			Help:        "Calls and retries that were not made, by reason.",
			ConstLabels: labels,
		}, []string{"reason"}),
		breakerState: prometheus.NewGauge(prometheus.GaugeOpts{
			Name:        "outbound_breaker_state",
			Help:        "State of the circuit breaker: 0 closed, 1 half-open, 2 open.",
			ConstLabels: labels,
		}),
	}

	for _, collector := range []prometheus.Collector{
		measured.tries, measured.retries, measured.refused, measured.breakerState,
	} {
		if err := registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("metrics of the calls to %s: %w", peer, err)
		}
	}

	return measured, nil
}

// refusal counts a call that failed on this side, before or instead of another try.
func (m *metrics) refusal(err error) {
	switch {
	case errors.Is(err, circuitbreaker.ErrOpen):
		m.refused.WithLabelValues("breaker").Inc()
	case errors.Is(err, bulkhead.ErrFull):
		m.refused.WithLabelValues("concurrency").Inc()
	case errors.Is(err, budget.ErrExceeded):
		m.refused.WithLabelValues("retry_budget").Inc()
	}
}

func (m *metrics) breaker(state circuitbreaker.State) {
	switch state {
	case circuitbreaker.ClosedState:
		m.breakerState.Set(0)
	case circuitbreaker.HalfOpenState:
		m.breakerState.Set(1)
	case circuitbreaker.OpenState:
		m.breakerState.Set(2)
	}
}

// observe measures every try that leaves the process.
func (m *metrics) observe(next http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(request *http.Request) (*http.Response, error) {
		started := time.Now()
		response, err := next.RoundTrip(request)

		code := "none"
		if err == nil {
			code = strconv.Itoa(response.StatusCode)
		}

		m.tries.WithLabelValues(request.Method, code).Observe(time.Since(started).Seconds())

		return response, err //nolint:wrapcheck // An observer adds nothing to the error.
	})
}

type roundTripperFunc func(request *http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(request *http.Request) (*http.Response, error) {
	return f(request)
}
