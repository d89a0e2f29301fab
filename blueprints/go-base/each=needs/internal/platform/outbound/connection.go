package outbound

import (
	"net"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric/noop"
)

// newTransport returns a bounded pool of connections; each try is a span of its own.
func newTransport(options Options) http.RoundTripper {
	connections := int(options.Policy.MaxConcurrent)
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}

	return otelhttp.NewTransport(
		&http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    dialTimeout,
			MaxConnsPerHost:        connections,
			MaxIdleConns:           connections,
			MaxIdleConnsPerHost:    connections,
			IdleConnTimeout:        idleConnectionTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
		},
		otelhttp.WithTracerProvider(options.Traces),
		otelhttp.WithPropagators(options.Propagator),
		otelhttp.WithMeterProvider(noop.NewMeterProvider()),
	)
}
