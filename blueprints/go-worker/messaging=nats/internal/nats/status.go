package nats

import (
	"errors"
	"sync"
)

var errNotConsuming = errors.New("not consuming")

// status is why a consumer does not consume, or nil.
type status struct {
	mutex sync.Mutex
	err   error
}

func (s *status) get() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	return s.err
}

// change reports whether consuming began or ended, so that an outage is logged once.
func (s *status) change(err error) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	changed := (s.err == nil) != (err == nil) || errors.Is(s.err, errNotConsuming)
	s.err = err

	return changed
}
