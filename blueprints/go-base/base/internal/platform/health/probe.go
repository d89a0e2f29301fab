package health

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// probeTimeout bounds one probe.
const probeTimeout = 3 * time.Second

// Probe asks the process that listens at the admin address whether it lives.
// Images without a shell use it as their health check.
func Probe(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("admin address: %w", err)
	}

	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}

	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()

	url := "http://" + net.JoinHostPort(host, port) + "/health/live"

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // Nothing was written.

	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("probe: %s answered %s", url, response.Status)
	}

	return nil
}
