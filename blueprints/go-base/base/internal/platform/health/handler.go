package health

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// checkTimeout bounds the report on dependencies.
const checkTimeout = 2 * time.Second

type report struct {
	Status       string            `json:"status"`
	WaitingFor   []string          `json:"waiting_for,omitempty"`
	Dependencies map[string]string `json:"dependencies,omitempty"`
}

// Routes adds the probes and the report on dependencies to a mux.
func (s *State) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) {
		write(w, true, report{})
	})
	mux.HandleFunc("GET /health/started", func(w http.ResponseWriter, _ *http.Request) {
		write(w, s.Started(), report{WaitingFor: s.waitingFor()})
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		write(w, s.Ready(), report{WaitingFor: s.waitingFor()})
	})
	mux.HandleFunc("GET /health/deps", func(w http.ResponseWriter, r *http.Request) {
		healthy, dependencies := s.examine(r.Context())
		write(w, healthy, report{Dependencies: dependencies})
	})
}

// examine asks all dependencies at the same time.
func (s *State) examine(ctx context.Context) (healthy bool, results map[string]string) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()

	var (
		mutex sync.Mutex
		group sync.WaitGroup
	)

	healthy, results = true, make(map[string]string)

	for name, check := range s.dependencies() {
		group.Go(func() {
			result := "ok"
			err := check(ctx)

			mutex.Lock()
			defer mutex.Unlock()

			if err != nil {
				healthy, result = false, err.Error()
			}

			results[name] = result
		})
	}

	group.Wait()

	return healthy, results
}

func write(w http.ResponseWriter, healthy bool, body report) {
	status := http.StatusOK
	body.Status = "ok"

	if !healthy {
		status = http.StatusServiceUnavailable
		body.Status = "unavailable"
	}

	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)

	// The status line is out: a client that has gone away is none of our concern.
	_ = json.NewEncoder(w).Encode(body)
}
