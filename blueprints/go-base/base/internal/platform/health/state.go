// Package health answers the probes of the platform.
//
// The probes look at the process alone. What it depends on is reported beside
// them, because a probe that fails with a shared dependency removes every
// replica at once.
package health

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Check reports what is wrong with a dependency, or nil.
type Check func(ctx context.Context) error

// State is what the probes report.
type State struct {
	mutex    sync.Mutex
	running  bool
	started  bool
	draining bool
	pending  map[string]struct{}
	checks   map[string]Check
}

// NewState returns the state of a process that has not started yet.
func NewState() *State {
	return &State{
		pending: make(map[string]struct{}),
		checks:  make(map[string]Check),
	}
}

// Require delays the end of start-up until the returned function was called once.
func (s *State) Require(name string) (done func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	s.pending[name] = struct{}{}

	return func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()

		delete(s.pending, name)
		s.update()
	}
}

// Watch adds a dependency to the report; it never affects a probe.
func (s *State) Watch(name string, check Check) {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	s.checks[name] = check
}

// MarkRunning says that the process listens and works.
func (s *State) MarkRunning() {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	s.running = true
	s.update()
}

// MarkDraining says that the process is about to stop.
func (s *State) MarkDraining() {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	s.draining = true
}

// Started reports whether start-up was ever completed.
func (s *State) Started() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	return s.started
}

// Ready reports whether the process wants work.
func (s *State) Ready() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	return s.started && !s.draining
}

// update never takes back that start-up was completed.
func (s *State) update() {
	s.started = s.started || s.running && len(s.pending) == 0
}

func (s *State) waitingFor() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	return slices.Sorted(maps.Keys(s.pending))
}

func (s *State) dependencies() map[string]Check {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	return maps.Clone(s.checks)
}
