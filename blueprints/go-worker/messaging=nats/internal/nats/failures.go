package nats

import "sync"

// failures counts how often the handler has failed with a message, by its place in the stream. The
// broker's own count is of deliveries, of which many end with no fault of the message: a process is
// told to stop, or an acknowledgement is lost in an outage.
type failures struct {
	mutex  sync.Mutex
	limit  int
	counts map[uint64]uint64
}

func newFailures(limit int) *failures {
	return &failures{limit: limit, counts: make(map[uint64]uint64)}
}

// add counts one more and returns how many there are. Where too many messages fail, one that may
// have been settled by another process is forgotten: at worst it is tried more often.
func (f *failures) add(sequence uint64) uint64 {
	f.mutex.Lock()
	defer f.mutex.Unlock()

	if f.counts[sequence] == 0 && len(f.counts) >= f.limit {
		for other := range f.counts {
			delete(f.counts, other)

			break
		}
	}

	f.counts[sequence]++

	return f.counts[sequence]
}

func (f *failures) forget(sequence uint64) {
	f.mutex.Lock()
	defer f.mutex.Unlock()

	delete(f.counts, sequence)
}
